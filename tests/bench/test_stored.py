"""Costs among many stored conversations and desks, in small: what is filled is what a worker goes on with."""

from __future__ import annotations

import io
from pathlib import Path

import asyncpg
import pytest
from rich.console import Console

from bench import check, desks_table, stored_rows, stored_table
from bench.accounts import Accounts
from bench.arena import Course
from bench.contestants import OURS
from bench.desks import Cost, DesksPlan, DesksSpeed, measure_one
from bench.document import write_desks, write_stored
from bench.machine import describe
from bench.plans import Work
from bench.race import Backlog, Run, drain
from bench.stored import AtSize, Size, Stored, StoredPlan
from bench.workload import conversations, messages
from workers.runtime.sessions import PLANS

MACHINE = describe("18", "4")
WORK = Work(1, 1.0, 800, 0, 800, frozenset(), frozenset())


@pytest.fixture
def stored() -> Stored:
    """Two sizes, the larger one with a table that is read from end to end."""
    scan = Work(1, 1.0, 800, 0, 1_000, frozenset({"ticket"}), frozenset())
    run = Run(1_000, 0.5, Accounts(own=0.2, postgres=0.1), 50.0)
    sizes = [Size("message", 10.0, 20.4)]
    found = [
        AtSize(1_000, 1.0, run, {"last ticket": WORK}, sizes),
        AtSize(9_000, 1.0, run, {"last ticket": scan}, sizes),
    ]
    return Stored(StoredPlan([1_000, 9_000], 1_000), found, MACHINE)


def test_each_second_newcomer_is_one_who_was_stored_before() -> None:
    back = [stored_rows._customer(number) for number in range(5)]
    said = list(messages(100, returning=back))
    known = {one.key.encode() for one in back}

    opened = {one.key for one in said if one.opens}
    assert len(opened) == conversations(100, returning=True) == 5
    assert {one.key for one in said} == opened | known
    assert not opened & known


@pytest.mark.servers
async def test_a_worker_goes_on_with_what_was_filled(course: Course) -> None:
    dsn = course.settings.postgres.dsn.get_secret_value()
    filler = await asyncpg.connect(dsn)
    back = await stored_rows.fill(filler, course.settings, 240, 10)
    await filler.close()
    await drain(course, OURS, backlog := Backlog(200, 60.0, back))

    await check.check_done(course.connection, 200 + 240 * stored_rows.LINES, 240 + backlog.conversations)
    sessions = await course.connection.fetchval("SELECT count(*) FROM session WHERE session = 2")
    assert sessions == len(back)


@pytest.mark.servers
async def test_each_desk_deals_what_comes_to_it(database: str) -> None:
    connection = await asyncpg.connect(database)
    cost = await measure_one(connection, desks=3, commands=500)
    planned = {name: await connection.fetchval("SELECT current_setting($1)", name) for name in PLANS}
    held = await connection.fetch("SELECT desk_id, count(*) FROM desk_conversation GROUP BY 1 ORDER BY 1")
    await connection.close()

    assert [tuple(row) for row in held] == [("d0", 167), ("d1", 167), ("d2", 166)]
    assert cost.own_us > 0
    assert planned == PLANS  # as a worker's session does: else tables that were empty once are read whole


def test_tables_and_a_page_tell_costs_blocks_and_sizes(stored: Stored, tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=120)
    costs = [Cost(1, 100.0, 50.4), Cost(10_000, 900.0, None)]
    desks = DesksSpeed(DesksPlan([1, 10_000], 500), costs, MACHINE)
    console.print(*stored_table.tables(stored), *desks_table.tables(desks))
    page = tmp_path / "page.md"
    page.write_text("<!-- stored --><!-- /stored --><!-- desks --><!-- /desks -->")
    write_stored(stored, page)
    write_desks(desks, page)

    assert isinstance(console.file, io.StringIO)
    for text in (console.file.getvalue(), page.read_text()):
        assert "5.0, reads all of ticket" in text
        assert "10 + 20" in text
        assert "10,000" in text
    assert "| 9,000 | 200 | 100 | 2,000 |" in page.read_text()
    assert stored.report()["stored"][1]["lookups"]["last ticket"]["scanned"] == ["ticket"]
    assert desks.report()["costs"][0]["own_us"] == 100.0
