"""The blacklist in Postgres: read by indexes, of the page's own workspace, kept no longer than it must be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from schemas.assignments import BlockDays
from tests.plan_nodes import read_whole
from workers.channels.network import WHOLE, network_of
from workers.channels.website import addresses, blacklist
from workers.channels.website.blacklist import Blacklist
from workers.gateway.blacklist import rows
from workers.gateway.blacklist.entry import BLOCKS_MAX, Entry, Term
from workers.gateway.blacklist.rows import By
from workers.gateway.queries.queries import FIRST

pytestmark = pytest.mark.servers

PAGE = "web:shop"
CHU = By("acme", "agent:acme/chu", "198.51.100.1")
FILL = """
INSERT INTO page_registry VALUES ('web:shop', 'acme', 'main');
INSERT INTO visitor_address
SELECT 'acme', ('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid,
    set_masklen('10.0.0.0'::cidr + n / 2, 32), 'web:shop', now() - interval '1 minute' * n
FROM generate_series(1, 50000) n;
INSERT INTO address_block
SELECT 'acme', gen_random_uuid(), 'web:' || n % 100, set_masklen('10.1.0.0'::cidr + n, 32), NULL, 'spam',
    NULL, 'agent:acme/chu', now() - interval '1 day'
FROM generate_series(1, 20000) n;
INSERT INTO desk_conversation (workspace_id, conversation_id, desk_id, key, page_id, seq, last_event_id,
    epoch, round, care, standing, session, session_open, after_position, blocked, blocked_at)
SELECT 'acme', ('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid, 'main', 'web:shop:' || n,
    'web:shop', 1, gen_random_uuid(), 0, 1, 'new', 'idle', 1, false, 1, n % 100 = 0,
    now() - interval '1 second' * n
FROM generate_series(1, 50000) n;
ANALYZE visitor_address; ANALYZE address_block; ANALYZE desk_conversation
"""


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    opened = await asyncpg.connect(database)
    yield opened
    await opened.close()


async def block(
    connection: asyncpg.Connection[Any], by: By, network: str, days: BlockDays | None = None
) -> UUID | None:
    return await rows.put(connection, by, PAGE, network, Term(days=days), None)


async def test_what_is_asked_often_is_read_by_indexes(connection: asyncpg.Connection[Any]) -> None:
    await connection.execute(FILL)
    his = UUID(int=4_711)
    list_ = ("acme", [PAGE], "", FIRST.at, FIRST.id, None, None, 101)
    for query, arguments in (
        (blacklist.VERSIONS, ([PAGE],)),
        (blacklist.READ, ("acme", PAGE)),
        (rows.LAST_SEEN, ("acme", his)),
        (rows.VISITORS, ("acme", PAGE, "10.0.1.0/24")),
        (rows.LIST, list_),
        (rows.FORGET, ()),
        (addresses.FORGET, (timedelta(days=30),)),
    ):
        told = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {query}", *arguments)
        scanned = read_whole(orjson.loads(told)[0]["Plan"])
        assert scanned & {"visitor_address", "address_block", "desk_conversation"} == set(), query
    seen = await rows.read_last_seen(connection, "acme", his)
    assert seen is not None
    assert (seen.visitors, seen.entry) == (2, None)


async def test_blocks_are_of_the_workspace_that_has_the_page_and_change_within_a_look(
    connection: asyncpg.Connection[Any],
) -> None:
    changed: list[str] = []
    known = Blacklist(connection, [PAGE], changed.append)
    his, others = network_of("203.0.113.7", WHOLE), network_of("203.0.113.8", WHOLE)
    await connection.execute("INSERT INTO page_registry VALUES ($1, 'acme', 'main')", PAGE)
    assert await block(connection, By("rival", "agent:rival/chu", ""), "203.0.113.7/32")
    await known.look()
    assert (await known.known(), changed, known.keeps_out(PAGE, his)) == (True, [], False)

    id_ = await block(connection, CHU, "203.0.113.7/32", 7)
    await known.look()
    await known.look()
    assert (changed, known.keeps_out(PAGE, his), known.keeps_out(PAGE, others)) == ([PAGE], True, False)
    assert not known.keeps_out("web:other", his)
    assert await block(connection, CHU, "203.0.113.7/32") == id_  # the same, for good from now
    assert not await rows.remove(connection, By("rival", "", ""), PAGE, block=id_)
    assert await rows.remove(connection, CHU, PAGE, block=id_)
    await known.look()
    assert not known.keeps_out(PAGE, his)

    await block(connection, CHU, "203.0.113.7/32")
    await known.look()
    await connection.execute("UPDATE page_registry SET workspace_id = 'rival'")
    await known.look()
    assert known.keeps_out(PAGE, his)  # as its new workspace says
    await connection.execute("DELETE FROM page_registry")
    await known.look()
    assert not known.keeps_out(PAGE, his)


async def test_what_is_over_is_forgotten_and_a_page_has_so_many_blocks_and_no_more(
    connection: asyncpg.Connection[Any],
) -> None:
    over = await block(connection, CHU, "203.0.113.7/32", 7)
    await connection.execute("UPDATE address_block SET until = now() - interval '1 second'")
    assert over is not None
    assert await rows.read(connection, "acme", over) is None
    assert await rows.read_list(connection, "acme", [PAGE], None, None, None, FIRST, 9) == []
    await rows.forget_blocks(connection)
    assert await connection.fetchval("SELECT count(*) FROM address_block") == 0

    await connection.execute(
        "INSERT INTO address_block SELECT 'acme', gen_random_uuid(), $1, "
        "set_masklen('10.1.0.0'::cidr + n, 32), NULL, NULL, NULL, '', now() FROM generate_series(1, $2) n",
        *(PAGE, BLOCKS_MAX),
    )
    assert await block(connection, CHU, "203.0.113.7/32") is None
    assert await block(connection, CHU, "10.1.0.1/32") is not None

    for days in (31, 29):
        await connection.execute(
            "INSERT INTO visitor_address VALUES ('acme', $1, '10.0.0.1/32', $2, now() - $3::interval)",
            *(uuid4(), PAGE, timedelta(days=days)),
        )
    await connection.execute(addresses.FORGET, timedelta(days=30))
    assert await connection.fetchval("SELECT count(*) FROM visitor_address") == 1


async def test_from_a_conversation_a_block_that_was_made_elsewhere_is_neither_shortened_nor_lifted(
    connection: asyncpg.Connection[Any],
) -> None:
    lan, his, others = By("acme", "agent:acme/lan", "198.51.100.2"), uuid4(), uuid4()
    network = "203.0.113.7/32"

    async def from_(conversation: UUID | None, days: BlockDays | None, by: By = lan) -> Entry:
        id_ = await rows.put(connection, by, PAGE, network, Term(days=days), conversation)
        entry = id_ and await rows.read(connection, "acme", id_)
        assert entry
        return entry

    for made_in in (None, others):  # by hand, or from another conversation
        made = await from_(made_in, 30, CHU)
        assert await from_(his, 7) == made
        assert not await rows.remove(connection, lan, PAGE, conversation=his)
        longer = await from_(his, None)
        assert longer == made.model_copy(update={"until": None})
        assert await from_(his, 7) == longer
    by_hand = await from_(None, 7, CHU)  # an admin's own word in the blacklist stands for all before it
    assert (by_hand.conversation, by_hand.by) == (None, CHU.actor)
    assert by_hand.until is not None
    await connection.execute("UPDATE address_block SET until = now() - interval '1 second'")
    again = await from_(his, 30)  # what is over is nobody's
    assert (again.conversation, again.by) == (his, lan.actor)
    shorter = await from_(his, 7)  # his own counts from now
    assert again.until is not None
    assert shorter.until is not None
    assert shorter.until < again.until
    assert await rows.remove(connection, lan, PAGE, conversation=his)
