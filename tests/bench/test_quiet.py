"""A quiet day is measured on real workers, and told."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from bench.arena import Course
from bench.arrivals import Way
from bench.document import write_quiet
from bench.latency import LatencyPlan
from bench.machine import Machine
from bench.quiet import Quiet, QuietPlan, idle_for, start_often
from bench.quiet_table import tables

MACHINE = Machine("processor", 2, 4_096, "Linux", "3.11", "18", "4.2.2", 0.5)


@pytest.fixture
def quiet() -> Quiet:
    plan = QuietPlan(starts=3, idle_s=30.0, traffic=LatencyPlan(rate=10.0, seconds=60.0))
    latencies_ms: dict[Way, list[float]] = {"held": [12.0, 14.0, 90.0], "bare": [7.0]}
    return Quiet(plan, [2.1, 1.9, 2.6], {"routing": 0.0125}, latencies_ms, MACHINE)


@pytest.mark.servers
async def test_each_start_but_the_first_is_timed_until_a_new_customer_has_an_agent(course: Course) -> None:
    starts_s = await start_often(course, 1)

    assert len(starts_s) == 1
    assert starts_s[0] > 0.1, "no Python is there sooner"
    assert await course.connection.fetchval("SELECT count(*) FROM desk_conversation") == 2


@pytest.mark.servers
async def test_what_idle_workers_take_is_told_of_each(course: Course) -> None:
    shares = await idle_for(course, 0.5)

    assert set(shares) == {"routing", "notifier", "Postgres"}
    assert all(0 <= cores < 2 for cores in shares.values())


def test_a_table_and_a_page_name_what_was_measured(quiet: Quiet, tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=200)
    console.print(*tables(quiet))
    page = tmp_path / "page.md"
    page.write_text("<!-- quiet --><!-- /quiet -->\n")
    write_quiet(quiet, page)

    assert isinstance(console.file, io.StringIO)
    assert "routing with nothing to do" in console.file.getvalue()
    assert "| from start to the first assignment, s (most) | 2.1 | 2.6 | each 5 |" in page.read_text()
    assert "| routing with nothing to do, % of a core | 1.2 |" in page.read_text()
    assert "conversation (two hops), ms (p99) | 14.0 | 90.0 | median 25 |" in page.read_text()


def test_a_report_has_every_start(quiet: Quiet) -> None:
    assert quiet.report()["starts_s"] == [2.1, 1.9, 2.6]
    assert quiet.report()["latency_ms"]["held"]["p50"] == 14.0
