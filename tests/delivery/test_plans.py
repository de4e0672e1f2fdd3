"""What delivery workers ask all the time is read by indexes, however much was sent and read before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from tests.plan_nodes import read_whole
from workers.channels.delivery import erasing as erasing_at_delivery
from workers.channels.outreach import places, rows
from workers.channels.reading import errand_rows, fetches
from workers.routing.intake import erasing

pytestmark = pytest.mark.servers

BIG = {"outreach", "delivery_errand", "file"}
SENT = """
INSERT INTO outreach (workspace_id, message_id, desk_id, lane, conversation_id, key, page_id, position,
    sender, ticket, ticket_id, means, number, state, due_at, attempted_at, told, written_at, changed_at)
SELECT 'acme', gen_random_uuid(), 'main', n % 6, gen_random_uuid(), 'web:' || n % 100 || ':u',
    'web:' || n % 100, n, 'agent:acme/a' || n % 50, 1, gen_random_uuid(),
    (ARRAY['mail', 'sms', 'call'])[1 + n % 3],
    '+8491' || n,
    CASE n % 1000 WHEN 0 THEN 'queued' WHEN 1 THEN 'sending' ELSE 'sent' END, now(), now(), n % 500 > 0,
    now() - interval '1 minute' * n, now()
FROM generate_series(1, 20000) n
"""
OTHERS = """
INSERT INTO phone_page SELECT 'web:' || n, 'acme', 'main', '+8428' || n FROM generate_series(1, 5000) n;
INSERT INTO delivery_page (page_id, workspace_id, access_token, app)
SELECT 'web:' || n, 'acme', '', 'a' FROM generate_series(1, 100) n;
INSERT INTO delivery_errand (workspace_id, page_id, user_id, what, state, due_at, asked_at, changed_at)
SELECT CASE n % 100 WHEN 1 THEN 'acme' ELSE 'w' || n % 5000 END, 'web:' || n % 100, 'u' || n,
    (ARRAY['profile', 'history'])[1 + n % 2],
    CASE n % 1000 WHEN 0 THEN 'waiting' ELSE 'done' END, now(), now(), now()
FROM generate_series(1, 20000) n;
INSERT INTO file (workspace_id, file_id, conversation_id, message_id, state)
SELECT 'acme', 'f' || n, gen_random_uuid(), gen_random_uuid(), 'stored' FROM generate_series(1, 20000) n;
ANALYZE file; ANALYZE outreach; ANALYZE phone_page; ANALYZE delivery_page; ANALYZE delivery_errand
"""
AN_HOUR = timedelta(hours=1)
ITS = ("acme", "web:1", "u1", "history", 1)
"""One errand under one attempt's number."""
ASKED = [
    {
        **dict.fromkeys(("workspace_id", "desk_id", "key"), "acme"),
        **dict.fromkeys(("message_id", "conversation_id", "ticket_id"), str(UUID(int=7))),
        **dict.fromkeys(("lane", "position", "ticket"), 1),
        "page_id": "web:1",
        "sender": "agent:acme/a1",
        "means": "sms",
        "is_set": True,
        "content": {},
        "written_at": "2026-11-22T08:00:00Z",
    }
]


@pytest.fixture
async def filled(database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(database)
    await connection.execute(SENT)
    await connection.execute(OTHERS)
    yield connection
    await connection.close()


async def test_what_is_asked_all_the_time_is_read_by_indexes(filled: asyncpg.Connection[Any]) -> None:
    for query, arguments in (
        (rows.ENQUEUE, (orjson.dumps(ASKED).decode(), 100, 60, 1_000)),
        (rows.DUE_PAGES, (["sms", "call"],)),
        (rows.CLAIM, (["sms", "call"], "web:1", 4, 10)),
        (rows.FIND_LOST, (AN_HOUR, ["sms"], 4)),
        (rows.TRY_NOW, ("web:1", ["sms"])),
        (rows.UNTOLD, ([1, 2], 100)),
        (rows.TELL, ("acme", UUID(int=7), UUID(int=7), "sent", None, None, None)),
        (places.OF_TICKET, (UUID(int=7),)),
        (places.OF_MESSAGE, ("main", "acme", UUID(int=7))),
        (places.OF_NUMBER, ("main", "+84281", "+84911")),
        (errand_rows.CLAIM, (10, '{"web": 1}', AN_HOUR, '{"web": 1}')),
        (errand_rows.ASK_PROFILES, (["acme"], ["web:1"], ["u1"], AN_HOUR)),
        (errand_rows.GO_ON, (*ITS, "done", "{}", 7, 0)),
        (errand_rows.FAIL, (*ITS, "waiting", "no_answer", AN_HOUR)),
        (errand_rows.LATER, (*ITS, AN_HOUR)),
        (fetches.START, ("acme", "web:1", "u1", "agent:acme/a1")),
        (fetches.STOP, ("acme", "web:1", "u1")),
        (fetches.READ, ("acme", "web:1", "u1")),
        (fetches.LIST, ("acme", "web:1", 100)),
    ):
        assert await _read_whole_by(filled, query, arguments) & BIG == set(), query


async def test_an_erasure_finds_what_is_of_its_customer_by_indexes(filled: asyncpg.Connection[Any]) -> None:
    his = ("acme", UUID(int=7), 5, datetime.now(UTC))
    asked = [(erasing.DONE, his), *((each, (*his, erasing.ROWS_MAX)) for each in erasing.STATEMENTS)]
    asked += [(each, his) for each in erasing_at_delivery.STATEMENTS]
    for query, arguments in asked:
        assert await _read_whole_by(filled, query, arguments) & BIG == set(), query


async def _read_whole_by(
    connection: asyncpg.Connection[Any], query: str, arguments: Sequence[object]
) -> set[str]:
    """The tables of which every row is read."""
    plan = orjson.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {query}", *arguments))[0]["Plan"]
    return read_whole(plan)
