"""What was found of visitors and of webhooks at an ingress, as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from bench.columns import table_of
from bench.ingress import IngressLoad, Posted
from bench.percentiles import Percentiles
from bench.visitors import VisitorsLoad

TOLD_GOAL_MS, CLOSED_GOAL_MS, ACCEPTED_GOAL_MS, SLOWEST_GOAL_MS = 250, 2_000, 1_000, 2_000
"""Of the p99, and of the slowest in a storm, on a quiet machine."""


def visitors_tables(result: VisitorsLoad) -> tuple[Table]:
    """One line for each thing that was timed."""
    plan = result.plan
    title = f"{plan.visitors:,} visitors, {plan.rate_per_s:,g} messages a second for {plan.seconds:g} s"
    rows = (
        ("taken: Kafka has it", *_cells(result.taken_ms), ""),
        ("at the agent's socket", *_cells(result.told_ms), f"{TOLD_GOAL_MS}"),
        ("blocked: window closed", *_cells(result.closed_ms), f"{CLOSED_GOAL_MS:,}"),
        ("the same after a restart", *_cells(result.closed_anew_ms), f"{CLOSED_GOAL_MS:,}"),
    )
    table = table_of(title, ("milliseconds", "p50", "p99", "goal"), rows)
    table.caption = (
        f"ingress {result.ingress_busy:.0%} of a core, {result.ingress_mib:,.0f} MiB; "
        f"generator {result.generator_busy:.0%}"
    )
    return (table,)


def ingress_tables(result: IngressLoad) -> tuple[Table]:
    """One line for each part."""
    head = (
        "posts a second",
        "accepted",
        "p50 ms",
        "p99 ms",
        "503",
        "others",
        "slowest ms",
        "ingress",
        "µs a post",
        "generator",
    )
    rows = map(_row, (result.steady, result.storm))
    table = table_of("webhooks at one ingress while the workers drain", head, rows)
    table.caption = (
        f"goals: p99 {ACCEPTED_GOAL_MS} ms; in the storm half accepted, slowest {SLOWEST_GOAL_MS} ms"
    )
    return (table,)


def _row(posted: Posted) -> tuple[str, ...]:
    return (
        f"{posted.rate_per_s:,.0f}",
        f"{posted.accepted:.1%}",
        *_cells(posted.accepted_ms),
        f"{len(posted.refused_ms):,}",
        f"{sum(posted.others.values()):,}",
        f"{posted.slowest_ms:,.0f}",
        f"{posted.ingress_busy:.0%}",
        f"{posted.ingress_us:,.0f}",
        f"{posted.generator_busy:.0%}",
    )


def _cells(times_ms: Sequence[float]) -> tuple[str, str]:
    if not times_ms:
        return "–", "–"
    found = Percentiles.of(times_ms)
    return f"{found.p50:,.0f}", f"{found.p99:,.0f}"
