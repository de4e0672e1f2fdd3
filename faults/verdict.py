"""What a run against a mutant has to say: whether the checks that are meant for it saw it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import orjson

from faults.mutations import Mutant

RESULT = "verdict.json"
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
        """Of a run's folder."""
        try:
            result = orjson.loads((run / "result.json").read_bytes())
        except FileNotFoundError:
            return cls(
                False, f"nothing is known, the run did not come to its end: see {run.parent / 'run.log'}"
            )
        if not mutant.changes:
            problems = result["problems"]
            return cls(not problems, problems[0][:SAID_MAX] if problems else "everything holds")
        violated = {one["title"]: one["witness"] for one in result["report"]["checks"] if not one["holds"]}
        for begin in mutant.seen_by:
            for title, witness in violated.items():
                if title.startswith(begin):
                    return cls(True, f"{title}: {witness}"[:SAID_MAX])
        return cls(False, f"SURVIVED; violated is {sorted(violated)}"[:SAID_MAX])

    @classmethod
    def read(cls, folder: Path, asked: str) -> Self | None:
        """The one that was kept there; none when there is none, or of something else than was `asked`."""
        try:
            found = orjson.loads((folder / RESULT).read_bytes())
        except FileNotFoundError:
            return None
        return cls(found["is_right"], found["said"]) if found["asked"] == asked else None

    def write(self, folder: Path, asked: str) -> None:
        """Keep it for the next time that the same is asked."""
        (folder / RESULT).write_bytes(orjson.dumps(asdict(self) | {"asked": asked}))
