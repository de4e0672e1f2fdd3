"""What agents read is found by index, in its order, however large the tables are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from uuid import UUID, uuid4

import asyncpg
import pytest

from bench.lists import PEOPLE, Ask, questions
from bench.plans import Watched, Work, explain
from bench.shop import NOW, fill
from tests.databases import new_database, on
from workers.gateway.history import older
from workers.gateway.queries import detail, explaining, lists, people, rows, transcript
from workers.gateway.queries.filters import Asked, Filters
from workers.gateway.queries.pool import SERVER_SETTINGS
from workers.gateway.queries.scope import Scope, scope_of
from workers.gateway.queries.walking import FEW
from workers.gateway.roster import Rosters

pytestmark = pytest.mark.servers

CONVERSATIONS = 10_000
READ_MAX, SORTED_MAX = 7_000, 1_300
"""Rows of all tables for one answer, and rows that one sort is given."""
FULL = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND reltuples >= 1000"
"""Tables of some size: an empty month of messages is read from end to end at once."""
VISITORS = "SELECT conversation_id FROM notifier_conversation ORDER BY md5(conversation_id::text) LIMIT $1"
"""Of all ages, by chance: a website's visitors come back after days or years."""
ASKERS = ("agent", "admin of 63 pages", "admin of all")
WANTED = {
    ("agent", "unclaimed"): {"notifier_conversation_audience"},
    ("agent", "assigned"): {"notifier_conversation_holder"},
    ("agent", "my users"): {"inbox_followed", "desk_conversation_pkey"},
    ("agent", "my users, unread"): {"inbox_unread", "desk_conversation_pkey"},
    ("agent", "unread"): {"inbox_unread"},
    ("agent", "counts"): {"inbox_counter_pkey"},
    ("admin of 63 pages", "unclaimed"): {"notifier_conversation_page"},
    ("admin of 63 pages", "watching"): {"notifier_conversation_page"},
    ("admin of 63 pages", "mine"): {"notifier_conversation_holder"},
    ("admin of all", "all"): {"notifier_conversation_care", "customer_pkey", "inbox_pkey"},
    ("admin of all", "common care"): {"notifier_conversation_care"},
    ("admin of all", "channel"): {"notifier_conversation_page"},
    ("admin of all", "rare name"): {"customer_words", "notifier_conversation_pkey"},
    ("admin of all", "rare tag"): {"customer_words", "notifier_conversation_pkey"},
}


@pytest.fixture(scope="module")
def filled(postgres_dsn: str, template_database: str) -> Iterator[str]:
    """A shop for all tests of this module, which change nothing."""
    with new_database(postgres_dsn, template_database) as dsn:
        asyncio.run(on(dsn, lambda one: fill(one, CONVERSATIONS)))
        yield dsn


@pytest.fixture
async def pool(filled: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(filled, min_size=1, max_size=2, server_settings=SERVER_SETTINGS) as pool:
        yield pool


async def test_no_answer_reads_a_table_from_end_to_end_or_more_rows_than_are_allowed(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In proportion: what is walked for a count, and what is common, in a shop of a hundredth of the size.
    monkeypatch.setattr("workers.gateway.queries.lists.WALKED_MAX", 1_500)
    monkeypatch.setattr("workers.gateway.queries.walking.COMMON", 1_500)
    roster = await Rosters(pool).of("shop")
    async with pool.acquire() as connection:
        full = {row[0] for row in await connection.fetch(FULL)}
        assert {"notifier_conversation", "customer", "desk_conversation", "inbox"} <= full
        found = {
            (who, name): await _work(connection, ask) for who, name, ask in questions(roster) if who in ASKERS
        }
    for asked, work in found.items():
        assert not work.scanned & full, (asked, work.scanned)
        assert work.rows_read <= READ_MAX, (asked, work)
        assert work.rows_sorted <= SORTED_MAX, (asked, work)
    for asked, indexes in WANTED.items():
        assert found[asked].indexes >= indexes, (asked, found[asked].indexes)
    assert any("message_words" in index for index in found["agent", "rare text"].indexes)


async def test_the_first_part_of_a_list_reads_hardly_more_than_it_shows(pool: asyncpg.Pool) -> None:
    roster = await Rosters(pool).of("shop")
    async with pool.acquire() as connection:
        for who, name, ask in questions(roster):
            if who in ASKERS and name in ("all", "unclaimed", "mine", "watching", "assigned", "common care"):
                work = await _work(connection, ask)
                assert work.rows_read <= 2_900, (who, name, work)


@pytest.mark.parametrize("visitors", [500, 3_000], ids=["few", "many"])
async def test_whose_visitors_are_there_are_looked_up_or_walked_to_and_never_searched_for(
    pool: asyncpg.Pool, visitors: int
) -> None:
    """Few are looked at one by one, many are met soon."""
    roster = await Rosters(pool).of("shop")
    async with pool.acquire() as connection:
        full = {row[0] for row in await connection.fetch(FULL)}
        online = frozenset(row[0] for row in await connection.fetch(VISITORS, visitors))
        assert (len(online) <= FEW) == (visitors == 500)
        for who in ASKERS:
            scope = scope_of(PEOPLE[who], roster)
            for name, ask in _of_visitors(scope, online).items():
                work = await _work(connection, ask)
                assert not work.scanned & full, (who, name, work.scanned)
                assert work.rows_read <= 2_900, (who, name, work)
                assert work.rows_sorted <= visitors, (who, name, work)
                assert (work.rows_read >= visitors) == (visitors == 500), (who, name, work)


async def test_whatever_else_is_read_is_found_by_index(pool: asyncpg.Pool) -> None:
    one = uuid4()
    statements: dict[str, tuple[str, tuple[object, ...], set[str]]] = {
        "rows": (rows.READ, ("shop", [one], "agent-9", NOW), {"conversation_pkey"}),
        "before": (transcript.BEFORE, ("shop", one, 9, 50, True), set()),
        "after": (transcript.AFTER, ("shop", one, 9, 50, True), set()),
        "older": (older.OLDER, ("shop", one, NOW, 9, 50), set()),
        "logs": (transcript.LOGS, ("shop", one, 50), set()),
        "profile": (detail.PROFILE, ("shop", one), {"customer_pkey"}),
        "stands": (detail.STANDS, ("shop", one), {"desk_conversation_pkey"}),
        "explained": (explaining.STANDS, ("shop", one), {"desk_conversation_pkey"}),
        "loads": (people.AGENTS, ("shop", ["main"]), {"desk_conversation_load"}),
    }
    async with pool.acquire() as connection:
        full = {row[0] for row in await connection.fetch(FULL)}
        for name, (statement, given, wanted) in statements.items():
            work = await explain(connection, [(statement, given)])
            assert not work.scanned & full, name
            assert work.indexes >= wanted, (name, work.indexes)


def _of_visitors(scope: Scope, online: frozenset[UUID]) -> dict[str, Ask]:
    """What is asked of those who are there."""
    there, all_ = Asked(online=True), Asked(order="online_first")
    return {
        "online": partial(lists.read_list, scope=scope, asked=there, online=online),
        "online: count": partial(lists.count, scope=scope, filters=Filters(online=True), online=online),
        "online first": partial(lists.read_list, scope=scope, asked=all_, online=online),
    }


async def _work(connection: asyncpg.Connection, ask: Ask) -> Work:
    watched = Watched(connection)
    await ask(watched)
    return await explain(connection, watched.statements)
