"""`python -m faults.table REPORTS…`: what runs have shown, as a table: fault × invariant.

REPORTS are the folders of runs, or their `result.json`. Runs of the same faults share a line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import orjson

INVARIANTS = range(10)
LIVENESS = 9
HOLDS, VIOLATED, UNKNOWN = "✓", "✗", "?"
MARKS = ("<!-- faults -->", "<!-- /faults -->")
HEAD = ("fault", "seeds", "messages", "hit", *map(str, INVARIANTS), "recovered, s", "at most, s")

Run = Mapping[str, Any]


def main() -> int:
    """Print the table, or put it into a page; 1 when a run did not pass."""
    parser = argparse.ArgumentParser(prog="python -m faults.table", description=__doc__)
    parser.add_argument(
        "reports", nargs="+", type=Path, metavar="REPORT", help="folder or result.json of a run"
    )
    parser.add_argument(
        "--document", type=Path, help=f"the page to put it into, between {' and '.join(MARKS)}"
    )
    options = parser.parse_args()
    try:
        runs = [read(path) for path in options.reports]
        lines = table(runs)
        if options.document:
            put(options.document, lines)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if any(run["problems"] for run in runs) else 0


def read(path: Path) -> Run:
    """One run. Raises ValueError when it has no result, which means that it did not come to its end."""
    file = path / "result.json" if path.is_dir() else path
    try:
        found: Run = orjson.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise ValueError(f"{path} has no result: the run did not end") from error
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{file} is no result of a run: {error}") from error
    if not isinstance(found, dict) or "recoveries" not in found:
        raise ValueError(f"{file} is no result of a run")
    return found


def table(runs: Iterable[Run]) -> list[str]:
    """Markdown: a line for each set of faults, in the order in which they are met."""
    together: dict[str, list[Run]] = {}
    for run in runs:
        together.setdefault(", ".join(sorted({fault["name"] for fault in run["faults"]})), []).append(run)
    lines = [
        HEAD,
        ("---", *("---:" for _ in HEAD[1:])),
        *(_cells(name, each) for name, each in together.items()),
    ]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def put(page: Path, lines: Sequence[str], marks: tuple[str, str] = MARKS) -> None:
    """Put them between the page's marks; what they lack, by its first cell, keeps its line.

    Raises ValueError when the page has no marks.
    """
    before, begin, rest = page.read_text().partition(marks[0])
    between, end, after = rest.partition(marks[1])
    if not begin or not end:
        raise ValueError(
            f"{page} has no place for the table: write {marks[0]} and {marks[1]} where it shall be"
        )
    known = {_first_cell(line): line for line in between.splitlines() if line.startswith("|")}
    known |= {_first_cell(line): line for line in lines}
    page.write_text("\n".join((before + begin, *known.values(), end + after)))


def _first_cell(line: str) -> str:
    """Of the head and the line under it, too."""
    return line.strip("| ").partition(" |")[0]


def _cells(name: str, runs: Sequence[Run]) -> Sequence[str]:
    faults = [fault for run in runs for fault in run["faults"]]
    seconds = [one["seconds"] for run in runs for one in run["recoveries"]]
    took = [each for each in seconds if each is not None]
    return (
        f"`{name}`",
        " ".join(str(run["seed"]) for run in runs),
        f"{sum(sum(run['sent'].values()) for run in runs):,}",
        f"{sum(fault['hit'] for fault in faults)} of {len(faults)}",
        *(_verdict(invariant, runs) for invariant in INVARIANTS),
        f"{median(took):.1f}" if took else "",
        "never" if None in seconds else f"{max(took):.1f}" if took else "",
    )


def _verdict(invariant: int, runs: Sequence[Run]) -> str:
    """Nothing is known where no fault has hit; what is violated is so in any case."""
    checks = [
        check["holds"] for run in runs for check in run["report"]["checks"] if check["invariant"] == invariant
    ]
    unhealed = any(run["unhealed"] for run in runs)
    if not all(checks) or (invariant == LIVENESS and unhealed):
        return VIOLATED
    return HOLDS if checks and not any(run["missed"] for run in runs) else UNKNOWN


if __name__ == "__main__":
    sys.exit(main())
