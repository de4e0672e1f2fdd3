"""What a command costs among many desks, as rows for a terminal and for a page."""

from __future__ import annotations

from rich.table import Table

from bench.columns import microseconds
from bench.desks import DesksSpeed

HEAD = ("desks", "own CPU, µs a command", "Postgres, µs a command")


def rows(result: DesksSpeed) -> list[tuple[str, str, str]]:
    """One line for each number of desks."""
    return [
        (f"{one.desks:,}", microseconds(one.own_us), microseconds(one.postgres_us)) for one in result.costs
    ]


def tables(result: DesksSpeed) -> tuple[Table]:
    """The same for a terminal."""
    table = Table(title=f"A command of {result.plan.commands:,}, each desk in its turn")
    for column in HEAD:
        table.add_column(column, justify="right")
    for row in rows(result):
        table.add_row(*row)
    return (table,)
