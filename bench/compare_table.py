"""What became of the ratios, as a table for a terminal."""

from __future__ import annotations

from rich.table import Table

from bench.compare import Comparison
from bench.ratios import Spread


def tables(result: Comparison) -> tuple[Table | str, ...]:
    """The table, and what it does not say."""
    return _table(result), *_notes(result)


def _table(result: Comparison) -> Table:
    """One line a ratio; less is better."""
    table = Table(title=f"Ours, divided by what ran beside it: medians of {result.plan.pairs} pairs")
    table.add_column("")
    for column in ("recorded", "now", "change"):
        table.add_column(column, justify="right")
    table.add_column("")
    for one in result.judged:
        change = "" if one.change is None else f"{one.change:+.0%}"
        before = "" if one.recorded is None else _told(one.recorded)
        table.add_row(one.name, before, _told(one.found), change, one.verdict)
    return table


def _notes(result: Comparison) -> list[str]:
    """What the table does not say: since when, and on which other machine."""
    before = result.recorded
    if before is None:
        return ["Nothing has been recorded yet: --record does."]
    said = [f"Recorded on {before.at:%d %B %Y} at {before.commit}."]
    if (before.machine.processor, before.machine.cores) != (result.machine.processor, result.machine.cores):
        said.append(f"That was another machine: {before.machine.processor}, {before.machine.cores} cores.")
    return said


def _told(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.least:.2f} to {spread.most:.2f})"
