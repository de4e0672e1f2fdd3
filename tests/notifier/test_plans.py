"""The hot statements find their rows by index, however large the tables grow."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator

import asyncpg
import orjson
import pytest

from bench.plans import nodes
from tests.notifier.history import BEGIN
from workers.gateway.queries.counts import read_sums
from workers.notifier import loading, storing, transcript
from workers.notifier.places import Viewer, add_up
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers

CONVERSATIONS = 3_000
MILLISECONDS_MAX, READS_MAX = 20, 200

FILL = f"""
INSERT INTO message (workspace_id, conversation_id, position, message_id, session, sender, kind, page_id,
                     clock_ahead, stored_at, seq)
SELECT 'acme', md5(c::text)::uuid, p, md5(c || '/' || p)::uuid, 1, 'customer', 'text', 'messenger:page-1',
       false, now(), 2
FROM generate_series(1, {CONVERSATIONS}) c, generate_series(1, 10) p;
INSERT INTO session
SELECT 'acme', md5(c::text)::uuid, s, now(), 1 FROM generate_series(1, {CONVERSATIONS}) c,
       generate_series(1, 3) s;
INSERT INTO notifier_conversation (workspace_id, conversation_id, seq, epoch, holder, position, page_id,
                                   lane)
SELECT 'acme', md5(c::text)::uuid, 2, 1, 'agent-' || c % 12, 10, 'messenger:page-1', 0
FROM generate_series(1, {CONVERSATIONS}) c;
INSERT INTO notifier_recipient
SELECT 'acme', md5(c::text)::uuid, s, 1, 'agent-' || c % 12, 1 FROM generate_series(1, {CONVERSATIONS}) c,
       generate_series(1, 2) s;
INSERT INTO notifier_held
SELECT 'acme', md5(c::text)::uuid, 11, 3, md5(c::text)::uuid, '{{}}'
FROM generate_series(1, {CONVERSATIONS}) c;
INSERT INTO inbox (workspace_id, agent_id, conversation_id, page_id, holds, epoch, unread, last_position,
                   updated_at)
SELECT 'acme', 'agent-' || c % 12, md5(c::text)::uuid, 'messenger:page-1', true, 1, 10, 10, now()
FROM generate_series(1, {CONVERSATIONS}) c;
ANALYZE message, session, notifier_conversation, notifier_recipient, notifier_held, inbox;
"""

READ_BY_INDEX = {
    "conversations": loading.CONVERSATIONS,
    "seats": loading.SEATS,
    "recipients": loading.RECIPIENTS,
    "held": loading.HELD,
    "carried": transcript.CARRIED,
    "store": storing.STORE,
    "delete held": storing.DELETE_HELD,
}


@pytest.fixture
async def filled(database: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database)
    await connection.execute(FILL)
    # What is small enough to be read whole today is not tomorrow: the plan must have its index already.
    await connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
    yield connection
    await connection.close()


async def test_rows_are_found_by_index(filled: Connection) -> None:
    for name, sql in READ_BY_INDEX.items():
        await check_plan(filled, name, sql)


async def test_rows_are_found_by_index_when_the_plan_was_made_while_tables_were_empty(database: str) -> None:
    """As on a first start: a worker keeps its plans."""
    connection = await asyncpg.connect(database)
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    for name, sql in READ_BY_INDEX.items():
        await check_plan(connection, name, sql)
    await connection.close()


async def check_plan(connection: Connection, name: str, sql: str) -> None:
    await connection.execute(f"PREPARE statement AS {sql}")
    nulls = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", sql))))
    text = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE statement ({nulls})")
    await connection.execute("DEALLOCATE statement")
    found = list(nodes(orjson.loads(text)[0]["Plan"]))
    whole = [node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"]
    assert whole == [], f"{name} reads whole tables"
    lookups = [node for node in found if node["Node Type"] in {"Index Scan", "Index Only Scan"}]
    assert lookups, f"{name} uses no index"
    for node in lookups:
        assert "conversation_id" in node.get("Index Cond", ""), f"{name} reads a whole index: {node}"


SPREAD = """
INSERT INTO inbox_counter
SELECT 'acme', place, 'messenger:page-' || page, lane, count(*), count(*)
FROM (SELECT i <= 80000 AS is_held, floor(random() * 20)::int AS page, floor(random() * 48)::int AS lane,
             floor(random() * 200)::int AS agent, floor(random() * 10)::int AS rule
      FROM generate_series(1, 100000) i) c
CROSS JOIN LATERAL (VALUES (CASE WHEN is_held THEN 'held' ELSE 'unheld' END),
                           (CASE WHEN is_held THEN 'agent:a' || agent ELSE 'rule:r' || rule || '/0' END))
           u (place)
GROUP BY place, page, lane;
ANALYZE inbox_counter;
"""


@pytest.mark.parametrize("administered", [0, 3, 20])
async def test_numbers_over_a_hundred_thousand_conversations_are_read_within_20_ms(
    database: str, administered: int
) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute(SPREAD)
    pages = frozenset(f"messenger:page-{number}" for number in range(administered))
    viewer = Viewer("a3", pages, frozenset(f"rule:r{number}/0" for number in range(10)))
    taken_ms = [float("inf")]
    # The machine may be busy with other things: the best of many says what the statement costs.
    while min(taken_ms) >= MILLISECONDS_MAX and len(taken_ms) < READS_MAX:
        began = time.perf_counter()
        found = add_up(await read_sums(connection, "acme", viewer), viewer)
        taken_ms.append((time.perf_counter() - began) * 1_000)
    await connection.close()
    assert found["unclaimed"][0] == 20_000
    assert min(taken_ms) < MILLISECONDS_MAX


async def test_a_long_transcript_costs_no_more_than_its_last_session(filled: Connection) -> None:
    conversation = await filled.fetchval("SELECT md5('1')::uuid")
    await filled.execute(
        "UPDATE session SET first_position = 9 WHERE conversation_id = $1 AND session = 3", conversation
    )
    asked = (["acme"], [conversation], ["agent-1"], [3], [0], [10], [10])
    rows = await filled.fetch(transcript.CARRIED, *asked)
    assert [(row["read_to"], row["positions"], row["position"]) for row in rows] == [(8, None, 10)]
    assert rows[0]["stored_at"] > BEGIN

    arguments = (
        f"ARRAY['acme'], ARRAY['{conversation}'::uuid], ARRAY['agent-1'], ARRAY[3], ARRAY[0], ARRAY[10]"
    )
    arguments += ", ARRAY[10]"
    types = "text[], uuid[], text[], int[], int[], int[], int[]"
    await filled.execute(f"PREPARE carried ({types}) AS {transcript.CARRIED}")
    text = await filled.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE carried ({arguments})")
    filtered = [node.get("Rows Removed by Filter", 0) for node in nodes(orjson.loads(text)[0]["Plan"])]
    assert max(filtered) <= 2
