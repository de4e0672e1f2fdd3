"""`python -m faults.table`: what the runs that are recorded have shown, as a table: fault × invariant.

REPORTS are folders of other runs, or their `result.json`. Phases of the same faults share a line. Under the
table stands what it does not say: which checks had nothing to look at, which runs did not
pass, and which faults have no line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from config.errors import ConfigurationError
from faults.catalogue import FAULTS
from faults.record import RECORD, Record, Run, read

INVARIANTS = range(10)
LIVENESS = 9
HOLDS, VIOLATED, UNKNOWN = "✓", "✗", "?"
MARKS = ("<!-- faults -->", "<!-- /faults -->")
TIMES = ("recovered, s", "at most, s", "worked off, s")
WHY_MAX = 300
HEAD = ("fault", "seeds", "messages", "hit", *map(str, INVARIANTS), *TIMES, "checks", "when")

Part = tuple[Run, int]
"""A phase of a run, by its number."""


def main() -> int:
    """Print the table, or put it into a page; 1 when a run did not pass."""
    parser = argparse.ArgumentParser(prog="python -m faults.table", description=__doc__)
    parser.add_argument(
        "reports", nargs="*", type=Path, metavar="REPORT", help="folder or result.json of a run"
    )
    parser.add_argument(
        "--record", type=Path, default=RECORD, help="of which runs, if none is named (default: %(default)s)"
    )
    parser.add_argument(
        "--document", type=Path, help=f"the page to put it into, between {' and '.join(MARKS)}"
    )
    options = parser.parse_args()
    try:
        runs = [read(path) for path in options.reports] or Record(options.record).runs
        lines = table(runs)
        if options.document:
            write(options.document, runs)
    except (OSError, ValueError, ConfigurationError) as error:
        parser.error(str(error))
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if any(run["problems"] for run in runs) else 0


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
    return [markdown(cells) for cells in lines]


def markdown(cells: Iterable[str]) -> str:
    """A row of these."""
    return f"| {' | '.join(cells)} |"


def write(page: Path, runs: Sequence[Run]) -> None:
    """Put the table of these runs, and of no others, into a page, and under it what it does not say.

    Raises ValueError when there is no run, or the page has no place for it.
    """
    if not runs:
        raise ValueError(f"{page} keeps its table: there is no run of which to write another one")
    rows = table(runs)
    put(page, (*rows, *blind(runs), *failed(runs), *untried(rows)), MARKS)


def blind(runs: Sequence[Run]) -> list[str]:
    """Markdown: how many runs there were, and the checks for which none of them had anything to look at."""
    days = _days([phase for run in runs for phase in run["phases"]])
    invariants = {one["title"]: one["invariant"] for run in runs for one in run["report"]["checks"]}
    nothing = sorted((invariants[title], title) for title in invariants.keys() - _looked(runs))
    said = f"This was last written from the results of {len(runs)} runs, of {days}."
    if not nothing:
        return ["", f"{said} Each check had something to look at in one of them."]
    lines = [f"* {invariant}: {title}" for invariant, title in nothing]
    return ["", f"{said} Nothing to look at had, in any of them:", "", *lines]


def failed(runs: Sequence[Run]) -> list[str]:
    """Markdown: the runs that did not pass, each with the first of its reasons."""
    lines = [
        f"* {_named(run)}: {' '.join(run['problems'][0].split())[:WHY_MAX]}"
        for run in runs
        if run["problems"]
    ]
    return ["", f"**{len(lines)} of these runs did not pass:**", "", *lines] if lines else []


def untried(rows: Iterable[str]) -> list[str]:
    """Markdown: the faults of the catalogue that have no line of their own among these."""
    tried = {_first_cell(row).strip("`") for row in rows}
    names = [f"`{name}`" for name in FAULTS if name not in tried]
    return ["", f"Faults without a line of their own: {', '.join(names)}."] if names else []


def put(page: Path, lines: Iterable[str], marks: tuple[str, str]) -> None:
    """Put a table between the page's marks. Raises ValueError when it has none."""
    before, begin, rest = page.read_text().partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not begin or not end:
        raise ValueError(
            f"{page} has no place for the table: write {marks[0]} and {marks[1]} where it shall be"
        )
    page.write_text("\n".join((before + begin, *lines, end + after)))


def _named(run: Run) -> str:
    """As `tongdai faults run` is asked for it."""
    faults = "/".join(",".join(phase["names"]) for phase in run["phases"])
    return f"`--fault {faults} --seed {run['seed']}`"


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
        _checks([run for run, _ in parts]),
        " ".join((_days(phases), *sorted({run["commit"] for run, _ in parts if "commit" in run}))),
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


def _checks(runs: Sequence[Run]) -> str:
    """How many of them had something to look at, in one of these runs."""
    titles = {one["title"] for run in runs for one in run["report"]["checks"]}
    return f"{len(_looked(runs))} of {len(titles)}"


def _looked(runs: Iterable[Run]) -> set[str]:
    """The titles of the checks that had something to look at."""
    return {one["title"] for run in runs for one in run["report"]["checks"] if one["checked"]}


def _days(phases: Iterable[Mapping[str, Any]]) -> str:
    """When they began, from the first day to the last (UTC)."""
    days = {f"{datetime.fromtimestamp(phase['began_ms'] / 1000, UTC):%Y-%m-%d}" for phase in phases}
    return " to ".join(sorted({min(days), max(days)}))


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
