"""Messages are known again for thirty days, and not for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.log import WORKSPACE
from workers.routing.intake.forgetting import BLOCKS_MAX, BLOCKS_MIN, FORGET, INTERVAL_S, LAP_S, Walk, piece
from workers.runtime.handler import Connection

ROWS = 10_000
OLD, YOUNG = timedelta(days=31), timedelta(days=29)


@given(blocks=st.integers(1, 10**9), at=st.integers(0, 10**9))
def test_a_piece_is_small_and_lies_in_the_table(blocks: int, at: int) -> None:
    first, past = piece(at, blocks)
    assert 0 <= first < past <= blocks
    assert past - first <= BLOCKS_MAX
    assert first == at or (first == 0 and at >= blocks)


@given(blocks=st.integers(1, 5_000_000), at=st.integers(0, 5_000_000))
def test_a_lap_leaves_nothing_out_and_takes_a_day(blocks: int, at: int) -> None:
    at %= blocks
    walked = steps = 0
    while walked < blocks:
        first, past = piece(at, blocks)
        assert first == at % blocks
        walked, steps, at = walked + past - first, steps + 1, past
    assert steps <= LAP_S / INTERVAL_S + 2
    assert blocks < BLOCKS_MIN or steps >= blocks / BLOCKS_MAX


async def remember(connection: Connection, age: timedelta, rows: int = ROWS) -> None:
    await connection.execute(
        """
        INSERT INTO message_seen
        SELECT $1, gen_random_uuid(), gen_random_uuid(), 1, now() - $2::interval
        FROM generate_series(1, $3::int)
        """,
        WORKSPACE,
        age,
        rows,
    )


async def set_log_time(connection: Connection, at: datetime) -> None:
    await connection.execute(
        "INSERT INTO lane (kind, id, at_ms) VALUES ('intake', 0, $1), ('intake', 1, 0), ('desk', 0, 0)",
        round(at.timestamp() * 1000),
    )


async def walk_round(connection: Connection) -> int:
    """One lap; how many rows were forgotten."""
    walk, forgotten = Walk(), 0
    blocks = await connection.fetchval("SELECT pg_relation_size('message_seen') / 8192")
    for _ in range(blocks // BLOCKS_MIN + 2):
        forgotten += await walk.step(connection)
    return forgotten


async def left(connection: Connection) -> int:
    count: int = await connection.fetchval("SELECT count(*) FROM message_seen")
    return count


@pytest.mark.servers
async def test_what_is_older_than_thirty_days_is_forgotten_and_nothing_else(connection: Connection) -> None:
    await set_log_time(connection, datetime.now(UTC))
    for age in (OLD, YOUNG, OLD):
        await remember(connection, age)
    assert await walk_round(connection) == 2 * ROWS
    assert await left(connection) == ROWS
    assert await walk_round(connection) == 0


@pytest.mark.servers
async def test_one_step_touches_a_small_piece_only(connection: Connection) -> None:
    await set_log_time(connection, datetime.now(UTC))
    await remember(connection, OLD)
    walk = Walk(at=0)
    in_a_piece = await connection.fetchval(
        "SELECT count(*) FROM message_seen WHERE ctid < $1::tid", (BLOCKS_MIN, 0)
    )
    assert await walk.step(connection) == in_a_piece < ROWS


@pytest.mark.servers
async def test_one_clock_that_is_far_ahead_makes_nobody_forget(connection: Connection) -> None:
    await set_log_time(connection, datetime.now(UTC) + timedelta(days=700))
    await remember(connection, YOUNG, 10)
    assert await walk_round(connection) == 0
    await connection.execute("UPDATE lane SET at_ms = 0")
    await remember(connection, OLD, 10)
    assert await walk_round(connection) == 0


@pytest.mark.servers
async def test_a_table_without_rows_is_no_hindrance(connection: Connection) -> None:
    assert await Walk().step(connection) == 0


@pytest.mark.servers
async def test_a_step_reads_its_blocks_and_no_others(connection: Connection) -> None:
    await remember(connection, OLD)
    await connection.execute("ANALYZE message_seen")
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute(f"PREPARE forget AS {FORGET}")
    explained = await connection.fetchval(
        "EXPLAIN (FORMAT JSON) EXECUTE forget ('(0,0)', '(64,0)', '30 days')"
    )
    [plan] = orjson.loads(explained)
    assert [node["Node Type"] for node in _of_message_seen(plan["Plan"])] == ["ModifyTable", "Tid Range Scan"]


def _of_message_seen(plan: dict[str, Any]) -> list[dict[str, Any]]:
    mine = [plan] if plan.get("Relation Name") == "message_seen" else []
    return mine + [node for child in plan.get("Plans", ()) for node in _of_message_seen(child)]
