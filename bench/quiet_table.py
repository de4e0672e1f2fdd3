"""What was found of a quiet day, as rows and as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from rich.table import Table

from bench.columns import table_of
from bench.latency import LABELS
from bench.quiet import Quiet

HEAD = ("", "median", "most, or p99", "goal")
START_GOAL_S = 5
"""Of each start."""
HELD_GOAL_MS = 25
"""Of the median."""


def rows(result: Quiet) -> Sequence[tuple[str, ...]]:
    """One line for each thing that was measured: of starts the longest, of latencies the p99."""
    starts_s, rate = result.starts_s, result.plan.traffic.rate
    return [
        (
            "from start to the first assignment, s (most)",
            f"{median(starts_s):.1f}",
            f"{max(starts_s):.1f}",
            f"each {START_GOAL_S}",
        ),
        *(
            (f"{name} with nothing to do, % of a core", f"{100 * cores:.1f}", "", "")
            for name, cores in result.idle.items()
        ),
        *(
            (
                f"{rate:g} messages/s: {LABELS[way]}, ms (p99)",
                f"{found.p50:.1f}",
                f"{found.p99:.1f}",
                f"median {HELD_GOAL_MS}" if way == "held" else "",
            )
            for way, found in result.percentiles().items()
        ),
    ]


def tables(result: Quiet) -> tuple[Table]:
    """All of it."""
    return (table_of("A quiet day", HEAD, rows(result)),)
