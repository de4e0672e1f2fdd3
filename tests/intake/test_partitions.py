"""There is a partition for every message, however long an installation runs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest

from tests.intake.log import PAGE, WORKSPACE
from workers.migrations import migrate
from workers.routing.intake.partitions import make_partitions
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers


def in_two_years() -> datetime:
    now = datetime.now(UTC)
    return now.replace(year=now.year + 2, day=15)


def month(at: datetime, ahead: int = 0) -> str:
    months = at.year * 12 + at.month - 1 + ahead
    return f"message_{months // 12}_{months % 12 + 1:02}"


async def partitions(connection: Connection) -> set[str]:
    rows = await connection.fetch(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'message'::regclass"
    )
    return {name for (name,) in rows}


async def store(connection: Connection, at: datetime) -> str:
    """Store a message at that time; the partition that took it."""
    name: str = await connection.fetchval(
        """
        INSERT INTO message (workspace_id, conversation_id, position, message_id, session, sender, kind,
            page_id, clock_ahead, stored_at, seq)
        VALUES ($1, $2, 1, $3, 1, 'customer', 'text', $4, false, $5, 0)
        RETURNING tableoid::regclass::text
        """,
        WORKSPACE,
        uuid4(),
        uuid4(),
        PAGE,
        at,
    )
    return name


async def test_no_month_sorts_in_many_words_at_once(connection: Connection) -> None:
    await make_partitions(connection, in_two_years())
    limits = await connection.fetch(
        """
        SELECT h.inhrelid::regclass::text, c.reloptions
        FROM pg_inherits h JOIN pg_index i ON i.indrelid = h.inhrelid
        JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam AND m.amname = 'gin'
        WHERE h.inhparent = 'message'::regclass
        """
    )
    assert dict(limits) == {name: ["gin_pending_list_limit=128"] for name in await partitions(connection)}


async def test_after_two_years_a_year_ahead_is_made_once_by_many_at_once(
    connection: Connection, database: str
) -> None:
    before, now = await partitions(connection), in_two_years()
    others = [await asyncpg.connect(database) for _ in range(4)]
    made = await asyncio.gather(*(make_partitions(each, in_two_years()) for each in others))
    for each in others:
        await each.close()
    assert await partitions(connection) - before == {month(now, ahead) for ahead in range(13)} - before
    assert sum(made) == len(await partitions(connection) - before)
    assert await make_partitions(connection, in_two_years()) == 0
    assert await store(connection, now) == month(now)


async def test_what_came_before_its_partition_was_made_moves_into_it(connection: Connection) -> None:
    assert await store(connection, in_two_years()) == "message_default"
    await make_partitions(connection, in_two_years())
    found = await connection.fetch("SELECT tableoid::regclass::text FROM message")
    assert [name for (name,) in found] == [month(in_two_years())]


async def test_partitions_are_found_by_the_same_indexes(connection: Connection) -> None:
    await make_partitions(connection, in_two_years())
    unattached = await connection.fetch(
        """
        SELECT indexrelid::regclass FROM pg_index
        WHERE indrelid = $1::text::regclass AND NOT EXISTS (
            SELECT FROM pg_inherits WHERE inhrelid = indexrelid)
        """,
        month(in_two_years()),
    )
    assert unattached == []


async def test_a_transcript_that_is_being_written_does_not_wait_for_a_new_partition(
    connection: Connection, database: str
) -> None:
    other = await asyncpg.connect(database)
    try:
        async with connection.transaction():
            await store(connection, datetime.now(UTC))
            assert await make_partitions(other, in_two_years()) > 0
    finally:
        await other.close()


async def test_migrating_makes_what_is_missing(connection: Connection, database: str) -> None:
    here = month(datetime.now(UTC), 12)
    await connection.execute(f"DROP TABLE {here}")
    await asyncio.to_thread(migrate, database)
    assert here in await partitions(connection)
