"""What each contestant did in a second, and who had the processors, as rows for a terminal and for a page."""

from __future__ import annotations

from rich.table import Table

from bench.accounts import Accounts
from bench.columns import microseconds, table_of
from bench.contestants import BARE, LABELS, OURS
from bench.throughput import Throughput

SHARES = {
    "own": "own CPU, µs a message",
    "postgres": "Postgres",
    "kafka": "Kafka",
    "benchmark": "benchmark",
    "idle": "idle",
}
HEAD = ("", "messages/s", "of the bare one", "ours is", *SHARES.values(), "messages", "peak memory")


def rows(result: Throughput) -> list[tuple[str, ...]]:
    """One line a contestant; processor time is the median of its rounds."""
    pairs = zip(_speeds(result), _shares(result), strict=True)
    return [(*speed[:4], *shares[1:], *speed[4:]) for speed, shares in pairs]


def tables(result: Throughput) -> tuple[Table, Table]:
    """The same for a terminal, in two that fit into it."""
    title = f"Throughput, median of {result.plan.rounds} rounds"
    shared = "Who had the processors, µs a message"
    head = ("", *(name if name != "own" else "its own" for name in SHARES))
    speeds = table_of(title, (*HEAD[:4], *HEAD[-2:]), _speeds(result))
    return speeds, table_of(shared, head, _shares(result))


def _speeds(result: Throughput) -> list[tuple[str, ...]]:
    return [
        (
            LABELS[name],
            f"{result.messages_per_s(name):,.0f}",
            f"{result.ratio(name, BARE.name):.2f} ×" if name in _beside_bare(result) else "",
            f"{result.ratio(OURS.name, name):.2f} ×" if name in result.compared else "",
            f"{min(run.messages for run in runs):,}",
            f"{max(run.peak_rss_mib for run in runs):,.0f} MiB",
        )
        for name, runs in result.runs.items()
    ]


def _beside_bare(result: Throughput) -> list[str]:
    return [name for name in result.runs if name != BARE.name and BARE.name in result.runs]


def _shares(result: Throughput) -> list[tuple[str, ...]]:
    return [
        (LABELS[name], *(microseconds(result.us_per_message(name, share)) for share in Accounts._fields))
        for name in result.runs
    ]
