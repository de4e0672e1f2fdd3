"""`python -m faults.mutants`: breaks the workers in known ways and sees that the checker finds each one.

A campaign that passes proves something only if it would have failed otherwise. Each mutant is a copy of the
project with one change; it is caught when the check that it names is violated in a run against it. A copy
without a change is the control, and passes. What is recorded for the same change, faults and length is done,
so it can be stopped at any time. Moments that are too rare for a campaign (one batch is pending beside
another that is published already) are for the protocol's tests.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from config.errors import TongdaiError
from faults.mutations import CONTROL, MUTANTS
from faults.table import put
from faults.trial import Trial
from faults.verdicts import RECORD, Kept, Verdicts
from faults.version import commit_of, is_since, version

FOLDER = Path(".tongdai/mutants")
MARKS = ("<!-- mutants -->", "<!-- /mutants -->")


def main() -> int:
    """Try the mutants that the arguments name; 1 when one survived, or the control did not pass."""
    parser = _parser()
    options = parser.parse_args()
    try:
        verdicts = Verdicts(options.record)
        options.since = commit_of(options.since) if options.since else None
    except TongdaiError as error:
        parser.error(str(error))
    trials = [
        Trial.of(mutant, options.seed, options.seconds)
        for mutant in (CONTROL, *MUTANTS)
        if options.only in mutant.name
    ]
    found = [_verdict(trial, verdicts, options) for trial in trials]
    if options.document:
        put(options.document, verdicts.table((CONTROL, *MUTANTS)), MARKS)
    return 0 if found and all(one and one["is_right"] for one in found) else 1


def _verdict(trial: Trial, verdicts: Verdicts, options: argparse.Namespace) -> Kept | None:
    """What is recorded, unless it is wanted again; None: it did not come to its end."""
    kept = verdicts.find(trial)
    if kept is None or options.again or (options.since and not is_since(kept["commit"], options.since)):
        kept = _try(trial, verdicts, options.folder.absolute())
    sys.stdout.write(f"{trial.mutant.name}: {kept['said'] if kept else 'BROKEN OFF'}\n")
    sys.stdout.flush()
    return kept


def _try(trial: Trial, verdicts: Verdicts, folder: Path) -> Kept | None:
    """Carry it out and record its verdict."""
    commit, began = version(), datetime.now(UTC).isoformat(timespec="seconds")
    verdict = trial.run(folder / trial.name)
    return verdicts.keep(trial, verdict, commit, began) if verdict else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m faults.mutants", description=__doc__)
    add = parser.add_argument
    add("--only", default="", help="mutants with these words in their names")
    add("--seconds", type=int, default=50, help="for which messages flow at least (default: %(default)s)")
    add("--seed", type=int, default=1, help="of messages and faults (default: %(default)s)")
    add("--again", action="store_true", help="do again what is recorded, too")
    add("--since", metavar="COMMIT", help="do again what was tried before this commit; HEAD: before now")
    add("--folder", type=Path, default=FOLDER, help="for data and logs of runs (default: %(default)s)")
    add("--record", type=Path, default=RECORD, help="keep verdicts here (default: %(default)s)")
    add("--document", type=Path, help=f"page for the table, between {' and '.join(MARKS)}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
