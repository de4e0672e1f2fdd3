"""What a term may do to a lane's row in Postgres: nothing, when the row is another's."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import orjson
import pytest

from bench.plans import nodes
from workers.runtime.batch import Event
from workers.runtime.handler import Connection
from workers.runtime.lanes import Lane
from workers.runtime.ledger import KEEP_PENDING, Ledger, prepare

pytestmark = pytest.mark.servers

LEDGER = Ledger("intake")
MUCH_DELETED = """
INSERT INTO pending
SELECT kind, lane, batch_no, '{}', 'events' FROM
    unnest('{intake,desk,notifier}'::text[]) kind, generate_series(0, 5) lane,
    generate_series(1, 100) batch_no;
DELETE FROM pending WHERE batch_no < 100;
ANALYZE pending;
"""
EVENT = Event("messages", None, b"key", b"value", [("ce_id", b"1")])


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database)
    await LEDGER.create(connection, [0, 1])
    await prepare(connection)
    yield connection
    await connection.close()


def held(lane: int = 0, batch_no: int = 0, confirmed: int = 0) -> Lane:
    return Lane(lane, batch_no, {"inbound": batch_no}, 0, confirmed=confirmed)


async def store(connection: Connection, me: str, lane: Lane) -> bool:
    """One batch with one event."""
    offsets = [{"inbound": lane.batch_no + 1}]
    is_mine = await LEDGER.begin(connection, me, [lane], offsets, [0])
    if is_mine:
        await LEDGER.keep_pending(connection, [lane], offsets, [[EVENT]])
    await connection.execute("COMMIT" if is_mine else "ROLLBACK")
    return is_mine


async def test_of_two_that_expect_the_same_owner_one_claims_the_row(connection: Connection) -> None:
    assert await LEDGER.claim(connection, "one", [0, 1], [None, None]) == {0, 1}
    assert await LEDGER.claim(connection, "two", [0, 1], [None, None]) == set()
    assert await LEDGER.claim(connection, "two", [0, 1], ["one", "other"]) == {0}


async def test_only_the_owner_stores_and_only_upon_the_batch_that_it_knows(connection: Connection) -> None:
    await LEDGER.claim(connection, "me", [0], [None])
    assert not await store(connection, "other", held())
    assert await store(connection, "me", held())
    assert not await store(connection, "me", held())
    assert await store(connection, "me", held(batch_no=1))


async def test_a_transaction_is_begun_with_the_count_of_all_its_batches(connection: Connection) -> None:
    me = "it's me"
    await LEDGER.claim(connection, me, [0, 1], [None, None])
    both = [held(0), held(1)]
    assert await LEDGER.begin(connection, me, both, [{"inbound": 3}, {"inbound": 4, "actions": 5}], [6, 7])
    assert connection.is_in_transaction()
    rows = await LEDGER.read(connection, [0, 1])
    assert [(row.row.batch_no, row.at_ms) for row in rows.values()] == [(1, 6), (1, 7)]
    assert rows[1].row.next_offsets == {"inbound": 4, "actions": 5}
    await connection.execute("ROLLBACK")
    assert await LEDGER.advance(connection, me, both[:1], [{"inbound": 3}], [6])
    assert not await LEDGER.begin(connection, me, both, [{"inbound": 3}, {"inbound": 4}], [6, 7])
    assert connection.is_in_transaction()


async def test_what_is_unconfirmed_stays_pending(connection: Connection) -> None:
    await LEDGER.claim(connection, "me", [0], [None])
    for lane in (held(), held(batch_no=1), held(batch_no=2, confirmed=1)):
        assert await store(connection, "me", lane)
    row = (await LEDGER.read(connection, [0]))[0].row
    assert (row.batch_no, row.pending, row.next_offsets) == (3, (2, 3), {"inbound": 3})
    assert await LEDGER.pending(connection, [0]) == {0: {2: [EVENT], 3: [EVENT]}}


async def test_a_release_empties_pending_and_is_refused_to_others(connection: Connection) -> None:
    await LEDGER.claim(connection, "me", [0], [None])
    await store(connection, "me", held())
    transaction = connection.transaction()
    await transaction.start()
    assert not await LEDGER.release(connection, "other", [held(batch_no=1, confirmed=1)])
    await transaction.rollback()
    assert await LEDGER.release(connection, "me", [held(batch_no=1, confirmed=1)])
    row = (await LEDGER.read(connection, [0]))[0].row
    assert (row.owner, row.pending) == (None, ())


async def test_nobody_but_its_owner_stops_a_lane(connection: Connection) -> None:
    await LEDGER.claim(connection, "me", [0], [None])
    assert not await LEDGER.stop(connection, "other", 0, "it was frozen and is out of date")
    assert (await LEDGER.read(connection, [0]))[0].row.stopped is None
    assert await LEDGER.stop(connection, "me", 0, "poison")
    assert (await LEDGER.read(connection, [0]))[0].row.stopped == "poison"


async def test_a_stopped_lane_is_claimed_by_nobody(connection: Connection) -> None:
    await LEDGER.claim(connection, "me", [0], [None])
    await LEDGER.stop(connection, "me", 0, "poison")
    assert await LEDGER.claim(connection, "other", [0], ["me"]) == set()


async def test_of_what_was_deleted_since_the_last_vacuum_only_its_own_lanes_is_looked_at(
    connection: Connection,
) -> None:
    """As a worker's session plans it, whether the table is new or was much written to."""
    await connection.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
    for filled in (False, True):
        if filled:
            await connection.execute(MUCH_DELETED)
        await connection.execute(f"PREPARE keep_{filled} AS {KEEP_PENDING}")
        plan = await connection.fetchval(
            f"EXPLAIN (FORMAT JSON) EXECUTE keep_{filled} ({', '.join(['NULL'] * 7)})"
        )
        found = [node.get("Index Cond", "") for node in nodes(orjson.loads(plan)[0]["Plan"])]
        assert [cond for cond in found if "lane" in cond and "batch_no" in cond] == list(filter(None, found))
        assert any(found)


async def test_what_a_lane_has_forgotten_is_not_gone_through_again_while_a_backup_reads_from_before(
    connection: Connection, database: str
) -> None:
    backup = await asyncpg.connect(database)
    try:
        await backup.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM pending")
        await connection.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
        await connection.execute(f"PREPARE keep AS {KEEP_PENDING}")
        await connection.execute(
            "INSERT INTO pending SELECT 'intake', 0, batch_no, '{}', 'events' "
            "FROM generate_series(1, 3000) batch_no; DELETE FROM pending WHERE batch_no < 3000"
        )
        new, older = [await read_blocks(connection, forgotten) for forgotten in (2_999, 0)]
        assert new < older / 4
    finally:
        await backup.close()


async def read_blocks(connection: Connection, forgotten: int) -> int:
    """So many does batch 3,001 of lane 0 go through, with nothing changed in the end."""
    values = f"'intake', '{{0}}', '{{3001}}', '{{{forgotten}}}', '{{3000}}', ARRAY['{{}}'], '{{a}}'"
    transaction = connection.transaction()
    await transaction.start()
    plan = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE keep ({values})")
    await transaction.rollback()
    hits = [n["Shared Hit Blocks"] for n in nodes(orjson.loads(plan)[0]["Plan"]) if "Index Cond" in n]
    return int(sum(hits))


async def test_a_batch_that_is_rolled_back_has_forgotten_nothing(connection: Connection) -> None:
    await LEDGER.claim(connection, "me", [0], [None])
    lane = held()
    assert await store(connection, "me", lane)
    lane.batch_no = lane.confirmed = 1
    offsets = [{"inbound": 2}]
    assert await LEDGER.begin(connection, "me", [lane], offsets, [0])
    assert await LEDGER.keep_pending(connection, [lane], offsets, [[EVENT]]) == {0: 1}
    await connection.execute("ROLLBACK")
    assert lane.forgotten == 0
    assert await store(connection, "me", lane)
    assert set((await LEDGER.pending(connection, [0]))[0]) == {2}
