"""What each contestant did in a second, and who had the processors, as rows for a terminal and for a page."""

from __future__ import annotations

from rich.table import Table

from bench.accounts import Accounts
from bench.columns import microseconds, table_of
from bench.contestants import LABELS
from bench.throughput import Throughput

SHARES = {
    "own": "own CPU, µs a message",
    "postgres": "Postgres",
    "kafka": "Kafka",
    "benchmark": "benchmark",
    "idle": "idle",
}
HEAD = ("", "messages/s", "ours is", *SHARES.values(), "messages", "peak memory")


def rows(result: Throughput) -> list[tuple[str, ...]]:
    """One line a contestant; processor time is the median of its rounds."""
    return [
        (
            LABELS[name],
            f"{result.messages_per_s(name):,.0f}",
            f"{result.ratio_to(name):.2f} ×" if name in result.compared else "",
            *(microseconds(result.us_per_message(name, share)) for share in Accounts._fields),
            f"{min(run.messages for run in runs):,}",
            f"{max(run.peak_rss_mib for run in runs):,.0f} MiB",
        )
        for name, runs in result.runs.items()
    ]


def tables(result: Throughput) -> tuple[Table]:
    """The same for a terminal."""
    return (table_of(f"Throughput, median of {result.plan.rounds} rounds", HEAD, rows(result)),)
