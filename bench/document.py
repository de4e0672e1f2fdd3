"""The measured tables in a page: written by the benchmark, so that no figure there is anybody's wish."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import desks_table, gateway_table, quiet_table, scale_table, stored_table, throughput_table
from bench.desks import DesksSpeed
from bench.failures import BenchError
from bench.gateway import GatewayLoad
from bench.latency import LABELS, Latency
from bench.machine import Machine
from bench.quiet import Quiet
from bench.scale import Scale
from bench.stored import Stored
from bench.throughput import Throughput


def write_throughput(result: Throughput, page: Path) -> None:
    """Put the table where the page says `<!-- throughput -->`; ours alone where it says `<!-- memory -->`."""
    told = f"{result.plan.rounds} rounds, a backlog of {result.plan.messages:,} messages."
    table = _table(throughput_table.HEAD, throughput_table.rows(result))
    mark = "throughput" if result.compared else "memory"
    _replace(page, mark, [*table, "", f"{_measured(result.machine)} {told}"])


def write_latency(result: Latency, page: Path) -> None:
    """Put the tables where the page says `<!-- latency -->` and `<!-- stages -->`."""
    rows = [
        (LABELS[way], *(f"{value:.1f}" for value in (found.p50, found.p95, found.p99)), f"{found.count:,}")
        for way, found in result.percentiles().items()
    ]
    told = f"{result.plan.rate:,.0f} messages/s for {result.plan.seconds:g} s."
    head = ("milliseconds", "p50", "p95", "p99", "messages")
    _replace(page, "latency", [*_table(head, rows), "", f"{_measured(result.machine)} {told}"])
    stages = [
        (stage.kind, f"{stage.store_ms:.1f}", f"{stage.publish_ms:.1f}", f"{stage.records:.1f}")
        for stage in result.stages
    ]
    _replace(page, "stages", _table(("of each batch", "Postgres, ms", "Kafka, ms", "records"), stages))


def write_quiet(result: Quiet, page: Path) -> None:
    """Put the table where the page says `<!-- quiet -->`."""
    plan = result.plan
    told = (
        f"{plan.starts} starts after one that does not count, {plan.idle_s:g} s with nothing to do, "
        f"{plan.traffic.seconds:g} s of traffic each."
    )
    table = _table(quiet_table.HEAD, quiet_table.rows(result))
    _replace(page, "quiet", [*table, "", f"{_measured(result.machine)} {told}"])


def write_stored(result: Stored, page: Path) -> None:
    """Put the tables where the page says `<!-- stored -->`."""
    head = stored_table.lookup_head(result)
    tables = [
        *_table(stored_table.COST_HEAD, stored_table.cost_rows(result)),
        "",
        *_table(("blocks to find one", *head[1:]), stored_table.lookup_rows(result)),
        "",
        *_table(("rows + indexes, MiB", *head[1:]), stored_table.size_rows(result)),
    ]
    told = f"A backlog of {result.plan.messages:,} messages each."
    _replace(page, "stored", [*tables, "", f"{_measured(result.machine)} {told}"])


def write_desks(result: DesksSpeed, page: Path) -> None:
    """Put the table where the page says `<!-- desks -->`."""
    told = f"{result.plan.commands:,} commands each."
    table = _table(desks_table.HEAD, desks_table.rows(result))
    _replace(page, "desks", [*table, "", f"{_measured(result.machine)} {told}"])


def write_scale(result: Scale, page: Path) -> None:
    """Put the table where the page says `<!-- scale -->`."""
    traffic = result.plan.traffic
    told = f"{traffic.rate:,.0f} messages/s for {traffic.seconds:g} s each."
    table = _table(scale_table.COLUMNS, scale_table.rows(result))
    _replace(page, "scale", [*table, "", f"{_measured(result.machine)} {told}"])


def write_gateway(result: GatewayLoad, page: Path) -> None:
    """Put the tables where the page says `<!-- gateway -->`."""
    plan = result.plan
    told = (
        f"{plan.agents:,} agents, {plan.conversations:,} conversations; "
        f"of the floor {plan.floor_conversations:,}."
    )
    tables = [
        *_table(gateway_table.TIMES_HEAD, gateway_table.time_rows(result)),
        "",
        *_table(gateway_table.OTHERS_HEAD, gateway_table.other_rows(result)),
    ]
    _replace(page, "gateway", [*tables, "", f"{_measured(result.machine)} {told}"])


DOCUMENTS = {
    "throughput": write_throughput,
    "latency": write_latency,
    "quiet": write_quiet,
    "stored": write_stored,
    "desks": write_desks,
    "gateway": write_gateway,
    "scale": write_scale,
}
"""By benchmark."""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---", *("---:" for _ in head[1:])]
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]


def _measured(machine: Machine) -> str:
    return (
        f"Measured on {datetime.now(UTC):%d %B %Y}: {machine.processor}, {machine.cores} cores, "
        f"{machine.memory_mib // 1024} GiB, {machine.system}, Python {machine.python}, PostgreSQL "
        f"{machine.postgres}, Kafka {machine.kafka}; load average before it {machine.load_before:.1f}."
    )


def _replace(page: Path, mark: str, lines: Sequence[str]) -> None:
    """Replace what stands between `<!-- mark -->` and `<!-- /mark -->`."""
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    text = page.read_text()
    if begin not in text or end not in text:
        raise BenchError(f"{page} has no place for the table: write {begin} and {end} where it shall be")
    inside = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    page.write_text(inside.sub(lambda _: "\n".join((begin, *lines, end)), text, count=1))
