"""`python -m faults.mutants`: breaks the workers in known ways and sees that a campaign finds each one.

A campaign that passes proves something only if it would have failed otherwise. Each mutant is a copy of the
project with one change; it is caught when the campaign against it does not pass. Moments that are too rare
for a campaign (one batch is pending beside another that is published already) are for the protocol's tests.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from faults.campaign import MISSED
from faults.mutations import MUTANTS, Change, Mutant
from faults.table import put

ROOT = Path(__file__).parents[1]
COPIED = ("schemas", "config", "workers", "checker", "faults", "pyproject.toml")
RATE_PER_S = 120
MARKS = ("<!-- mutants -->", "<!-- /mutants -->")
HEAD = ("what was broken", "faults", "seed", "messages", "what caught it")
SAID_MAX = 220


def main() -> int:
    """Try the mutants that the arguments name; 1 when one survived."""
    parser = argparse.ArgumentParser(prog="python -m faults.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="mutants with these words in their names")
    parser.add_argument("--seconds", type=int, default=50, help="for which messages flow")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--document", type=Path, help=f"page for the table, between {' and '.join(MARKS)}")
    options = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if options.only in mutant.name]
    survived = 0
    for mutant in chosen:
        found = _try(mutant, options)
        survived += not found
        sys.stdout.write(f"{'caught' if found else 'SURVIVED'}: {mutant.name}\n")
        sys.stdout.writelines(f"  {line}\n" for line in found)
        sys.stdout.flush()
        if options.document:
            put(
                options.document,
                [_row(HEAD), _row(["---"] * len(HEAD)), _told(mutant, options, found)],
                MARKS,
            )
    return 1 if survived or not chosen else 0


def _told(mutant: Mutant, options: argparse.Namespace, found: list[str]) -> str:
    """A line of the table."""
    faults = " ".join(f"`{name}`" for name in dict.fromkeys(mutant.faults.split(",")))
    said = found[0].replace("|", "/")[:SAID_MAX] if found else "nothing: it survived"
    return _row([mutant.name, faults, str(options.seed), f"{RATE_PER_S * options.seconds:,}", said])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _try(mutant: Mutant, options: argparse.Namespace) -> list[str]:
    """What the campaign has to say against the mutant; nothing when it passes."""
    with tempfile.TemporaryDirectory(prefix="tongdai-mutant-") as folder:
        copy = Path(folder)
        copy.chmod(0o755)
        for name in COPIED:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
        for change in mutant.changes:
            _apply(copy / change.path, change)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "faults.spine", "--once", "--pause", "1"),
                *("--folder", str(copy / "run"), "--faults", mutant.faults),
                *("--messages", str(RATE_PER_S * options.seconds), "--rate", str(RATE_PER_S)),
                *("--seed", str(options.seed)),
            ],
            cwd=copy,
            env=os.environ | {"PYTHONPATH": folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    return _verdict(done.stdout) if done.returncode else []


def _verdict(output: str) -> list[str]:
    """The lines after the checks: what was violated. That a fault missed catches nothing.

    Of a campaign that did not come to its end, its last line.
    """
    lines = output.splitlines()
    begin = max((at for at, line in enumerate(lines) if line.startswith(("  ok ", "  FAIL"))), default=-2)
    found = lines[begin + 1 :]
    return [line[:300] for line in found if not line.startswith("to repeat") and MISSED not in line]


def _apply(path: Path, change: Change) -> None:
    text = path.read_text()
    if text.count(change.before) != 1:
        raise SystemExit(f"{change.path} has changed: {change.before!r} is not in it exactly once")
    path.write_text(text.replace(change.before, change.after))


if __name__ == "__main__":
    sys.exit(main())
