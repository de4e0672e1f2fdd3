"""What was found of the gateway under load, as rows and as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from bench.columns import table_of
from bench.gateway import GatewayLoad
from bench.percentiles import Percentiles

GOALS_MS = {"winner": 150, "last loser": 400, "offer at each socket": 250}
"""Of the p99 on a quiet machine."""
TIMES_HEAD = ("milliseconds", "p50", "p99", "goal", "floor p50", "floor p99")
OTHERS_HEAD = ("", "ours", "goal", "floor")

Rows = Sequence[tuple[str, ...]]


def time_rows(result: GatewayLoad) -> Rows:
    """One line a kind of wait, beside the floor's."""
    ours, floor = result.ours.raced, result.floor
    return [
        _waits("winner", ours.races.winners, floor.races.winners),
        _waits("last loser", ours.races.last_losers, floor.races.last_losers),
        _waits("offer at each socket", ours.offers_ms, floor.offers_ms),
    ]


def _waits(name: str, ours_ms: Sequence[float], floor_ms: Sequence[float]) -> tuple[str, ...]:
    ours, floor = Percentiles.of(ours_ms), Percentiles.of(floor_ms)
    cells = ours.p50, ours.p99, GOALS_MS[name], floor.p50, floor.p99
    return (name, *(f"{cell:,.0f}" for cell in cells))


def other_rows(result: GatewayLoad) -> Rows:
    """Everything else."""
    ours, floor = result.ours, result.floor
    quiet, disturbed = Percentiles.of(ours.quiet_ms), Percentiles.of(ours.disturbed_ms)
    cpu = f"{ours.raced.cpu_us_per_click:,.0f}", f"{floor.cpu_us_per_click:,.0f}"
    return [
        (
            f"clicks a second, {ours.raced.clicks:,} at the same time",
            f"{ours.raced.clicks_per_s:,.0f}",
            "",
            f"{floor.clicks_per_s:,.0f}",
        ),
        ("the gateway's own CPU, µs a click", cpu[0], "", cpu[1]),
        ("another agent's outcome, p50, ms", f"{quiet.p50:,.0f}", "", ""),
        ("the same while offers are made, p50, ms", f"{disturbed.p50:,.0f}", "", ""),
        ("its p99 then, over the p50 before, ms", f"{ours.delayed_ms:,.0f}", "100", ""),
        (f"{ours.idle.sockets:,} idle sockets, MiB", f"{ours.idle.with_them_mib:,.0f}", "500", ""),
        ("of them one socket, KiB", f"{ours.idle.each_kib:,.0f}", "", ""),
    ]


def tables(result: GatewayLoad) -> tuple[Table, Table]:
    """Both."""
    plan = result.plan
    title = f"{plan.agents:,} agents click on each of {plan.conversations:,} conversations"
    return table_of(title, TIMES_HEAD, time_rows(result)), table_of("", OTHERS_HEAD, other_rows(result))
