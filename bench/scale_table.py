"""What several workers took, as a table for a terminal."""

from __future__ import annotations

from rich.table import Table

from bench.scale import NOTIFIER, ROUTING, WAYS, Scale


def scale_table(result: Scale) -> Table:
    """One line a run."""
    traffic = result.plan.traffic
    table = Table(
        title=f"At {traffic.rate:,.0f} messages/s for {traffic.seconds:g} s each, with one notifier"
    )
    columns = (
        "lanes",
        "routing workers",
        "routing, CPU s a million",
        "notifier",
        "messages a batch of intake",
    )
    for column in (*columns, "held p50, ms", "p99", "new p50, ms", "p99"):
        table.add_column(column, justify="right")
    for run in result.runs:
        latencies = [value for way in WAYS for value in (run.percentiles(way).p50, run.percentiles(way).p99)]
        table.add_row(
            f"{run.partitions}",
            f"{run.workers}",
            *(f"{run.cpu_s_per_million(worker):,.0f}" for worker in (ROUTING, NOTIFIER)),
            f"{run.stage('intake').records:.1f}",
            *(f"{value:,.1f}" for value in latencies),
        )
    return table
