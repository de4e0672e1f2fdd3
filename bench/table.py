"""The results as tables for a terminal."""

from __future__ import annotations

from statistics import median

from rich.table import Table

from bench.contestants import LABELS as CONTESTANT_LABELS
from bench.latency import LABELS, Latency
from bench.throughput import Throughput


def throughput_table(result: Throughput) -> Table:
    """One line a contestant."""
    table = Table(title=f"Throughput, median of {result.plan.rounds} rounds")
    table.add_column("")
    for column in ("messages/s", "ours is", "CPU µs a message", "messages", "peak MiB"):
        table.add_column(column, justify="right")
    for name, runs in result.runs.items():
        ratio = f"{result.ratio_to(name):.2f} ×" if name in result.compared else ""
        table.add_row(
            CONTESTANT_LABELS[name],
            f"{result.messages_per_s(name):,.0f}",
            ratio,
            f"{median(run.cpu_us_per_message for run in runs):,.0f}",
            f"{min(run.messages for run in runs):,}",
            f"{max(run.peak_rss_mib for run in runs):,.0f}",
        )
    return table


def latency_table(result: Latency) -> Table:
    """One line a way."""
    table = Table(title=f"Latency at {result.plan.rate:,.0f} messages/s, in milliseconds")
    table.add_column("")
    for column in ("p50", "p95", "p99", "messages"):
        table.add_column(column, justify="right")
    for way, found in result.percentiles().items():
        table.add_row(
            LABELS[way], f"{found.p50:.1f}", f"{found.p95:.1f}", f"{found.p99:.1f}", f"{found.count:,}"
        )
    return table


def stages_table(result: Latency) -> Table:
    """Where the time goes."""
    table = Table(title="Of each batch, mean milliseconds")
    table.add_column("")
    for column in ("Postgres", "Kafka", "records", "batches"):
        table.add_column(column, justify="right")
    for stage in result.stages:
        table.add_row(
            stage.kind,
            f"{stage.store_ms:.1f}",
            f"{stage.publish_ms:.1f}",
            f"{stage.records:.1f}",
            f"{stage.batches:,}",
        )
    return table
