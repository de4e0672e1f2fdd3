"""What a run against a mutant has to say: whether the checks that are meant for it saw it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from faults.mutations import Mutant
from faults.record import read

SAID_MAX = 300


@dataclass(frozen=True)
class Verdict:
    """Of one run.

    Attributes:
        is_right: the mutant was caught by a check that it names; of the control: nothing was found.
        said: the check that caught it and its witness, or what there was instead.
    """

    is_right: bool
    said: str

    @classmethod
    def of(cls, mutant: Mutant, run: Path) -> Self:
        """Of a run's folder. Raises ValueError when it did not come to its end."""
        result = read(run)
        violated = {
            one["title"]: one["witness"] for one in result["report"]["checks"] if one["holds"] is False
        }
        if not mutant.changes:
            wrong = [*(f"{title}: {witness}" for title, witness in violated.items()), *result["unhealed"]]
            missed = [name for phase in result["phases"] for name in phase["missed"]]
            hint = f"; never hit: {', '.join(missed)}" if missed else ""
            return cls(not wrong, f"{(wrong or ['everything holds'])[0]}{hint}"[:SAID_MAX])
        for begin in mutant.seen_by:
            for title, witness in violated.items():
                if title.startswith(begin):
                    return cls(True, f"{title}: {witness}"[:SAID_MAX])
        return cls(False, f"SURVIVED; violated is {sorted(violated)}"[:SAID_MAX])
