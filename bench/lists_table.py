"""What was found of lists, as a table for a terminal."""

from __future__ import annotations

from rich.table import Table

from bench.lists import GOAL_MS, Lists


def tables(result: Lists) -> tuple[Table]:
    """One line a question; what is above the goal is marked."""
    table = Table(
        title=f"Milliseconds at {result.plan.conversations:,} conversations, {result.plan.rounds} rounds"
    )
    for column in ("who", "asks for", "p50", "p99", "server", "processor", "rows read", "statements", ""):
        table.add_column(column, justify="left" if column in ("who", "asks for", "") else "right")
    for one in result.answered:
        table.add_row(
            one.who,
            one.name,
            f"{one.taken_ms.p50:.1f}",
            f"{one.taken_ms.p99:.1f}",
            f"{one.work.server_ms:.1f}",
            "" if one.cpu_ms is None else f"{one.cpu_ms:.1f}",
            f"{one.work.rows_read:,}",
            str(one.work.statements),
            f"> {GOAL_MS:.0f}" if one.taken_ms.p50 > GOAL_MS else "",
        )
    return (table,)
