"""What was found of the gateway under load, as tables for a terminal."""

from __future__ import annotations

from rich.table import Table

from bench.gateway import GatewayLoad
from bench.percentiles import Percentiles

GOALS = {"winner": 150, "last loser": 400, "offer at each socket": 250}
"""p99 in milliseconds."""


def tables(result: GatewayLoad) -> tuple[Table, Table]:
    """Times beside the floor; everything else."""
    plan, ours, floor = result.plan, result.ours.raced, result.floor
    times = Table(title=f"{plan.agents:,} agents click on each of {plan.conversations:,} conversations, ms")
    for column in ("", "p50", "p99", "goal", "floor p50", "floor p99"):
        times.add_column(column, justify="right" if column else "left")
    for name, of_ours, of_floor in (
        ("winner", ours.races.winners, floor.races.winners),
        ("last loser", ours.races.last_losers, floor.races.last_losers),
        ("offer at each socket", ours.offers_ms, floor.offers_ms),
    ):
        mine, bare = Percentiles.of(of_ours), Percentiles.of(of_floor)
        cells = (mine.p50, mine.p99, GOALS[name], bare.p50, bare.p99)
        times.add_row(name, *(f"{cell:,.0f}" for cell in cells))
    return times, _others(result)


def _others(result: GatewayLoad) -> Table:
    ours, floor = result.ours, result.floor
    quiet, disturbed = Percentiles.of(ours.quiet_ms), Percentiles.of(ours.disturbed_ms)
    table = Table(title=f"{ours.raced.clicks:,} clicks at the same time, and sockets")
    for column in ("", "ours", "floor"):
        table.add_column(column, justify="right" if column else "left")
    table.add_row("clicks a second", f"{ours.raced.clicks_per_s:,.0f}", f"{floor.clicks_per_s:,.0f}")
    cpu = (f"{ours.raced.cpu_us_per_click:,.0f}", f"{floor.cpu_us_per_click:,.0f}")
    table.add_row("the gateway's CPU, µs a click", *cpu)
    told = f"{quiet.p50:,.0f} → {disturbed.p50:,.0f}, p99 {quiet.p99:,.0f} → {disturbed.p99:,.0f}"
    table.add_row("another agent's outcome beside offers, ms", told, "")
    table.add_row("delayed by at most (goal 100), ms", f"{ours.delayed_ms:,.0f}", "")
    idle = f"{ours.idle.with_them_mib:,.0f} MiB"
    table.add_row(f"{ours.idle.sockets:,} idle sockets (goal 500 MiB)", idle, "")
    return table
