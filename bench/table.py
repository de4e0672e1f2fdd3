"""The results as tables for a terminal."""

from __future__ import annotations

from statistics import median

from rich.table import Table

from bench.columns import table_of
from bench.contestants import LABELS as CONTESTANT_LABELS
from bench.latency import LABELS, Latency
from bench.throughput import Throughput


def throughput_tables(result: Throughput) -> tuple[Table]:
    """One line a contestant."""
    head = ("", "messages/s", "ours is", "CPU µs a message", "messages", "peak MiB")
    rows = (
        (
            CONTESTANT_LABELS[name],
            f"{result.messages_per_s(name):,.0f}",
            f"{result.ratio_to(name):.2f} ×" if name in result.compared else "",
            f"{median(run.cpu_us_per_message for run in runs):,.0f}",
            f"{min(run.messages for run in runs):,}",
            f"{max(run.peak_rss_mib for run in runs):,.0f}",
        )
        for name, runs in result.runs.items()
    )
    return (table_of(f"Throughput, median of {result.plan.rounds} rounds", head, rows),)


def latency_tables(result: Latency) -> tuple[Table, Table]:
    """The percentiles, and where the time goes."""
    return _percentiles(result), _stages(result)


def _percentiles(result: Latency) -> Table:
    """One line a way."""
    rows = (
        (LABELS[way], f"{found.p50:.1f}", f"{found.p95:.1f}", f"{found.p99:.1f}", f"{found.count:,}")
        for way, found in result.percentiles().items()
    )
    title = f"Latency at {result.plan.rate:,.0f} messages/s, in milliseconds"
    return table_of(title, ("", "p50", "p95", "p99", "messages"), rows)


def _stages(result: Latency) -> Table:
    """Where the time goes."""
    rows = (
        (
            stage.kind,
            f"{stage.store_ms:.1f}",
            f"{stage.publish_ms:.1f}",
            f"{stage.records:.1f}",
            f"{stage.batches:,}",
        )
        for stage in result.stages
    )
    return table_of("Of each batch, mean milliseconds", ("", "Postgres", "Kafka", "records", "batches"), rows)
