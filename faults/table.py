"""`python -m faults.table REPORTS…`: what runs have shown, as a table: fault × invariant.

REPORTS are the folders of runs, or their `result.json`. Phases of the same faults share a line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from faults.catalogue import FAULTS

INVARIANTS = range(10)
LIVENESS = 9
HOLDS, VIOLATED, UNKNOWN = "✓", "✗", "?"
MARKS = ("<!-- faults -->", "<!-- /faults -->")
TIMES = ("recovered, s", "at most, s", "worked off, s")
HEAD = ("fault", "seeds", "messages", "hit", *map(str, INVARIANTS), *TIMES)

Run = Mapping[str, Any]
Part = tuple[Run, int]
"""A phase of a run, by its number."""


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
    if not isinstance(found, dict) or "phases" not in found:
        raise ValueError(f"{file} is no result of a run")
    return found


def table(runs: Iterable[Run]) -> list[str]:
    """Markdown: a line for each set of faults, in the order of the catalogue."""
    together: dict[tuple[str, ...], list[Part]] = {}
    for run in runs:
        for number, phase in enumerate(run["phases"]):
            names = sorted(set(phase["names"]), key=FAULTS.index)
            together.setdefault(tuple(names), []).append((run, number))
    rows = sorted(together.items(), key=lambda row: (len(row[0]), [FAULTS.index(name) for name in row[0]]))
    lines = [
        HEAD,
        ("---", *("---:" for _ in HEAD[1:])),
        *(_cells(", ".join(names), parts) for names, parts in rows),
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


def _cells(name: str, parts: Sequence[Part]) -> Sequence[str]:
    phases = [run["phases"][number] for run, number in parts]
    faults = [fault for phase in phases for fault in phase["faults"]]
    took = [one["seconds"] for phase in phases for one in phase["recoveries"]]
    drained = [phase["drained"]["seconds"] for phase in phases if phase["drained"]]
    in_time = [each for each in took if each is not None]
    return (
        f"`{name}`",
        ranges(sorted({run["seed"] for run, _ in parts})),
        f"{sum(sum(phase['sent'].values()) for phase in phases):,}",
        f"{sum(fault['hit'] for fault in faults)} of {len(faults)}",
        *(_verdict(invariant, parts) for invariant in INVARIANTS),
        f"{median(in_time):.1f}" if in_time else "",
        _at_most(took),
        _at_most(drained),
    )


def ranges(numbers: Sequence[int]) -> str:
    """Rising numbers as people write them: `1–3 7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return " ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def _at_most(seconds: Sequence[float | None]) -> str:
    known = [each for each in seconds if each is not None]
    return "never" if len(known) < len(seconds) else f"{max(known):.1f}" if known else ""


def _verdict(invariant: int, parts: Sequence[Part]) -> str:
    """Nothing is known where no fault has hit; what is violated is so in any case."""
    if any(_is_violated(invariant, run, number) for run, number in parts):
        return VIOLATED
    checked = all(_has_looked_at(invariant, run) for run, _ in parts)
    hit = any(not run["phases"][number]["missed"] for run, number in parts)
    return HOLDS if checked and hit else UNKNOWN


def _has_looked_at(invariant: int, run: Run) -> bool:
    return any(one["invariant"] == invariant and one["checked"] for one in run["report"]["checks"])


def _is_violated(invariant: int, run: Run, number: int) -> bool:
    """By this phase, as far as anybody knows."""
    if invariant == LIVENESS and (run["unhealed"] or run["phases"][number]["unhealed"]):
        return True
    return any(
        one["invariant"] == invariant and one["holds"] is False and one["phase"] in {None, number}
        for one in run["report"]["checks"]
    )


if __name__ == "__main__":
    sys.exit(main())
