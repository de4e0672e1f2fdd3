"""What was found of one desk, as tables for a terminal."""

from __future__ import annotations

from rich.table import Table

from bench.desk import DeskSpeed


def tables(result: DeskSpeed) -> tuple[Table, Table]:
    """Decisions in memory; assignments kept."""
    decided = Table(title="Commands decided on and applied, a second of processor time")
    for column in ("agents", "", "median", "best", "events each"):
        decided.add_column(column, justify="left" if not column else "right")
    for one in result.decided:
        speeds = (f"{one.median_per_s:,.0f}", f"{one.best_per_s:,.0f}", f"{one.events:.1f}")
        decided.add_row(f"{one.agents:,}", one.name, *speeds)
    kept = Table(title=f"Assignments kept in Postgres, a second; median of {result.plan.rounds} rounds")
    for column in ("agents", "ours", "own CPU, µs", "the bare statements"):
        kept.add_column(column, justify="right")
    for agents in result.kept:
        figures = result.kept_per_s(agents), result.own_us(agents), result.bare_per_s(agents)
        kept.add_row(f"{agents:,}", *(f"{figure:,.0f}" for figure in figures))
    return decided, kept
