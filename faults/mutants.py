"""`python -m faults.mutants`: breaks the workers in known ways and sees that the checker finds each one.

A campaign that passes proves something only if it would have failed otherwise. Each mutant is a copy of the
project with one change; it is caught when the check that it names is violated in a run against it. A copy
without a change is the control, and passes. What has a result for the same change is left out, so it can be
stopped at any time. Moments that are too rare for a campaign (one batch is pending beside another that is
published already) are for the protocol's tests.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from faults.mutations import CONTROL, MUTANTS, Change, Mutant
from faults.table import put
from faults.verdict import Verdict

ROOT = Path(__file__).parents[1]
COPIED = ("schemas", "config", "workers", "bench", "checker", "faults", "pyproject.toml")
DONE = "done"
"""The file that says which change, faults and length the run was of."""
RATE_PER_S = 120
FAULT_S = 12
"""So long it takes to do one, and to be as before."""
MARKS = ("<!-- mutants -->", "<!-- /mutants -->")
HEAD = ("what was broken", "faults", "seed", "messages", "what caught it")


def main() -> int:
    """Try the mutants that the arguments name; 1 when one survived, or the control did not pass."""
    options = _parser().parse_args()
    chosen = [mutant for mutant in (CONTROL, *MUTANTS) if options.only in mutant.name]
    verdicts = [_verdict(mutant, options) for mutant in chosen]
    if options.document:
        rows = [_row(mutant, verdict, options) for mutant, verdict in zip(chosen, verdicts, strict=True)]
        put(options.document, [_line(HEAD), _line(["---"] * len(HEAD)), *rows], MARKS)
    return 0 if chosen and all(verdict.is_right for verdict in verdicts) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m faults.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="mutants with these words in their names")
    parser.add_argument(
        "--seconds", type=int, default=50, help="for which messages flow at least (default: 50)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of messages and faults (default: 1)")
    parser.add_argument(
        "--folder", type=Path, default=Path(".tongdai/mutants"), help="of runs (default: %(default)s)"
    )
    parser.add_argument("--document", type=Path, help=f"page for the table, between {' and '.join(MARKS)}")
    return parser


def _verdict(mutant: Mutant, options: argparse.Namespace) -> Verdict:
    """What a run has to say, of this time or an earlier one."""
    folder = options.folder.absolute() / f"{mutant.slug}-seed-{options.seed}"
    asked = repr((mutant.changes, mutant.faults, options.seconds))
    done = folder / DONE
    if not done.exists() or done.read_text() != asked:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        folder.chmod(0o755)  # Postgres may run as another user
        _run(mutant, folder, options)
        for unneeded in (*COPIED, "run/servers"):
            shutil.rmtree(folder / unneeded, ignore_errors=True)
        done.write_text(asked)
    verdict = Verdict.of(mutant, folder / "run")
    sys.stdout.write(f"{mutant.name}: {verdict.said}\n")
    sys.stdout.flush()
    return verdict


def _run(mutant: Mutant, folder: Path, options: argparse.Namespace) -> None:
    """A campaign against a copy with the mutant's changes, in the folder `run` below this one."""
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    for change in mutant.changes:
        _apply(folder / change.path, change)
    with (folder / "run.log").open("wb") as log:
        subprocess.run(
            [
                *(sys.executable, "-m", "faults.spine", "--once", "--pause", "1"),
                *("--folder", str(folder / "run"), "--faults", mutant.faults),
                *("--messages", str(_messages(mutant, options)), "--rate", str(RATE_PER_S)),
                *("--seed", str(options.seed)),
            ],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )


def _messages(mutant: Mutant, options: argparse.Namespace) -> int:
    """As many as flow until its last fault is over."""
    seconds: int = max(options.seconds, FAULT_S * len(mutant.faults.split(",")))
    return RATE_PER_S * seconds


def _row(mutant: Mutant, verdict: Verdict, options: argparse.Namespace) -> str:
    """A line of the table."""
    faults = " ".join(f"`{name}`" for name in dict.fromkeys(mutant.faults.split(",")))
    messages = f"{_messages(mutant, options):,}"
    return _line([mutant.name, faults, str(options.seed), messages, verdict.said.replace("|", "/")])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _apply(path: Path, change: Change) -> None:
    text = path.read_text()
    if text.count(change.before) != 1:
        raise SystemExit(f"{change.path} has changed: {change.before!r} is not in it exactly once")
    path.write_text(text.replace(change.before, change.after))


if __name__ == "__main__":
    sys.exit(main())
