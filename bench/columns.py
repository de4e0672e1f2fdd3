"""Rows of figures for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table


def table_of(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table whose first column says what the figures in the others, set right, are of."""
    table = Table(title=title)
    for number, column in enumerate(head):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    return table


def microseconds(value: float | None) -> str:
    """Of a processor; nothing where nobody knows."""
    return "" if value is None else f"{value:,.0f}"
