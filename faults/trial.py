"""One trial of a mutant: a campaign against a copy of the project that has its changes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from faults.mutations import Change, Mutant
from faults.verdict import Verdict

ROOT = Path(__file__).parents[1]
COPIED = ("schemas", "config", "workers", "bench", "checker", "faults", "pyproject.toml")
RATE_PER_S = 120
FAULT_S = 12
"""So long it takes to do one, and to be as before."""


@dataclass(frozen=True)
class Trial:
    """Of this mutant, with this seed of messages and faults, and so many messages."""

    mutant: Mutant
    seed: int
    messages: int

    @classmethod
    def of(cls, mutant: Mutant, seed: int, seconds: int) -> Self:
        """For so long at least, and until its last fault is over."""
        return cls(mutant, seed, RATE_PER_S * max(seconds, FAULT_S * len(mutant.faults.split(","))))

    @property
    def name(self) -> str:
        """Names its folder, too."""
        return f"{self.mutant.slug}-seed-{self.seed}"

    @property
    def asked(self) -> dict[str, Any]:
        """What makes it this trial: with another change, other faults or another length it is another."""
        return {**self.mutant.told, "seed": self.seed, "messages": self.messages}

    def run(self, folder: Path) -> Verdict | None:
        """Carry it out in `folder`, of which nothing is kept; None: it did not come to its end."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        folder.chmod(0o755)  # Postgres may run as another user
        for name in COPIED:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
        for change in self.mutant.changes:
            _apply(folder / change.path, change)
        self._campaign(folder)
        for unneeded in (*COPIED, "run/servers"):
            shutil.rmtree(folder / unneeded, ignore_errors=True)
        try:
            return Verdict.of(self.mutant, folder / "run")
        except ValueError:
            return None

    def _campaign(self, folder: Path) -> None:
        """Against the copy, in the folder `run` beside it."""
        with (folder / "run.log").open("wb") as log:
            subprocess.run(
                [
                    *(sys.executable, "-m", "faults.spine", "--once", "--pause", "1"),
                    *("--folder", str(folder / "run"), "--faults", self.mutant.faults),
                    *("--messages", str(self.messages), "--rate", str(RATE_PER_S)),
                    *("--seed", str(self.seed)),
                ],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )


def _apply(path: Path, change: Change) -> None:
    text = path.read_text()
    if text.count(change.before) != 1:
        raise SystemExit(f"{change.path} has changed: {change.before!r} is not in it exactly once")
    path.write_text(text.replace(change.before, change.after))
