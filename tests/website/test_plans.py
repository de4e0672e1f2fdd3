"""What visitors make the ingress ask Postgres reads by indexes, however long their history is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from tests.plan_nodes import read_whole
from workers.channels.website.asking import ASKED, Asked, read_asked
from workers.channels.website.owners import OWNERS
from workers.channels.website.transcript import (
    AFTER,
    BEFORE,
    ENDS,
    LINES_MAX,
    WORKSPACE,
    Ask,
    ends_of,
    read_after,
    read_before,
)

pytestmark = pytest.mark.servers

HIS = UUID(int=1)
SEEDED = """
INSERT INTO message (workspace_id, conversation_id, position, message_id, session, sender, kind, body,
    page_id, channel_message_id, clock_ahead, stored_at, seq)
SELECT 'acme', ('00000000-0000-0000-0000-' || lpad(to_hex(1 + n / 200), 12, '0'))::uuid, 1 + n % 200,
    gen_random_uuid(), 1, CASE WHEN n % 2 = 0 THEN 'customer' ELSE 'agent' END,
    (ARRAY['text', 'text', 'log', 'note'])[1 + n % 4], 'tin ' || 1 + n % 200, 'web:shop', 'a.one/m' || n,
    false, now() - interval '40 days' * (n % 2), 0
FROM generate_series(0, 19999) n
"""
REGISTERED = "INSERT INTO page_registry SELECT 'web:' || n, 'acme', 'main' FROM generate_series(1, 5000) n"


@pytest.fixture
async def filled(database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A hundred conversations of two hundred lines each, in two months."""
    connection = await asyncpg.connect(database)
    await connection.execute(SEEDED)
    await connection.execute(REGISTERED)
    await connection.execute("ANALYZE message, page_registry")
    yield connection
    await connection.close()


async def test_history_is_read_by_indexes_and_shows_only_what_is_the_visitors(
    filled: asyncpg.Connection[Any],
) -> None:
    parts = {row[0] for row in await filled.fetch("SELECT DISTINCT tableoid::regclass::text FROM message")}
    assert len(parts) == 2
    read = parts | {"page_registry"}
    for query, arguments in (
        (AFTER, (["acme"] * 2, [HIS, uuid4()], [150, 0], LINES_MAX)),
        (BEFORE, ("acme", HIS, 150, LINES_MAX)),
        (ENDS, ("acme", HIS)),
        (ASKED, ("acme", HIS, 150, "a.one/answer-150")),
        (WORKSPACE, ("web:1",)),
        (OWNERS, (["web:1", "web:2"],)),
    ):
        plan = orjson.loads(await filled.fetchval(f"EXPLAIN (FORMAT JSON) {query}", *arguments))[0]["Plan"]
        assert read_whole(plan) & read == set()

    lines = await read_after(filled, [Ask("acme", HIS, 190)])
    assert [line.position for line in lines] == list(range(191, 201))
    assert [line.shown is None for line in lines] == [line.position % 4 in (3, 0) for line in lines]
    own, answer = (line.shown or {} for line in lines if line.position in (193, 194))
    assert (own["from"], own["text"], own["id"]) == ("customer", "tin 193", "m192")
    assert (answer["from"], answer["id"], answer["state"]) == ("agent", None, None)
    found = await read_before(filled, "acme", HIS, 101)
    assert len(found) == LINES_MAX
    assert [line.position for line in found] == [each for each in range(1, 101) if each % 4 in (1, 2)][
        -LINES_MAX:
    ]
    await filled.execute(
        'UPDATE message SET params = \'{"asks": ["phone"]}\' WHERE position IN (192, 193, 194)'
    )
    for position, id_, asked in (
        (194, "a.one/answer-194", Asked(frozenset({"phone"}), False)),
        (194, "a.one/m196", Asked(frozenset({"phone"}), True)),
        (194, "a.one/m192", Asked(frozenset({"phone"}), False)),  # said before it
        (193, "a.one/answer-193", None),  # his own words
        (192, "a.one/answer-192", None),  # no affair of his
        (198, "a.one/answer-198", None),
    ):
        assert await read_asked(filled, "acme", HIS, position, id_) == asked, (position, id_)
    assert [line.shown and line.shown["asks"] for line in await read_after(filled, [Ask("acme", HIS, 192)])][
        :3
    ] == [
        [],
        ["phone"],
        None,
    ]
    assert await ends_of(filled, "acme", uuid4()) == (0, 0, False)
