"""What was found of a quiet day, as rows and as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from rich.table import Table

from bench.columns import table_of
from bench.latency import LABELS
from bench.quiet import Quiet

HEAD = ("", "median", "most", "goal")
START_GOAL_S = 5
HELD_GOAL_MS = 25
"""Of the median."""


def rows(result: Quiet) -> Sequence[tuple[str, ...]]:
    """One line for what was measured each; the most of latencies is the p99."""
    starts_s, rate = result.starts_s, result.plan.traffic.rate
    return [
        (
            "from start to the first assignment, s",
            f"{median(starts_s):.1f}",
            f"{max(starts_s):.1f}",
            f"{START_GOAL_S}",
        ),
        *(
            (f"{name} with nothing to do, % of a core", f"{100 * cores:.1f}", "", "")
            for name, cores in result.idle.items()
        ),
        *(
            (
                f"{rate:g} messages/s: {LABELS[way]}, ms",
                f"{found.p50:.1f}",
                f"{found.p99:.1f}",
                f"{HELD_GOAL_MS}" if way == "held" else "",
            )
            for way, found in result.percentiles().items()
        ),
    ]


def tables(result: Quiet) -> tuple[Table]:
    """All of it."""
    return (table_of("A quiet day", HEAD, rows(result)),)
