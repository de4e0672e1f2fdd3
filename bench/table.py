"""The results as tables for a terminal."""

from __future__ import annotations

from rich.table import Table

from bench.columns import table_of
from bench.latency import LABELS, Latency


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
