"""What several workers took, as a table for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from bench.scale import NOTIFIER, ROUTING, WAYS, Scale, Scaled

COLUMNS = ("lanes", "workers", "routing", "notifier", "batch", "held p50", "p99", "new p50", "p99")


def tables(result: Scale) -> tuple[Table]:
    """One line a run; narrow enough for a terminal, so that the title says what the columns are."""
    traffic = result.plan.traffic
    title = (
        f"{traffic.rate:,.0f} messages/s for {traffic.seconds:g} s each. Processor seconds a million "
        "messages of all routing workers and of the notifier; messages in a batch of intake; milliseconds"
    )
    table = Table(title=title)
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for row in rows(result):
        table.add_row(*row)
    return (table,)


def rows(result: Scale) -> list[Sequence[str]]:
    """One a run, in the order of COLUMNS."""
    return [_row(run) for run in result.runs]


def _row(run: Scaled) -> Sequence[str]:
    latencies = [value for way in WAYS for value in (run.percentiles(way).p50, run.percentiles(way).p99)]
    return (
        f"{run.partitions}",
        f"{run.workers}",
        *(f"{run.cpu_s_per_million(worker):,.0f}" for worker in (ROUTING, NOTIFIER)),
        f"{run.stage('intake').records:.1f}",
        *(f"{value:,.0f}" for value in latencies),
    )
