"""0006 on a database of the version before it, with conversations in it: nobody loses his list or numbers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest
from alembic import command

from workers.migrations import with_alembic
from workers.runtime.handler import Connection

PAGE = "zalo:100"
AT = datetime(2026, 11, 2, 8, tzinfo=UTC)
HELD, OFFERED, WAITING, UNFOLLOWED = (UUID(int=number) for number in range(1, 5))
LANE = 5
MESSAGES = {
    HELD: (("customer", 1), ("customer", 1), ("agent", 1), ("customer", 2)),
    OFFERED: (("customer", 1), ("bot", 1), ("customer", 1)),
    WAITING: (("customer", 1), ("customer", 2), ("customer", 2)),
    UNFOLLOWED: (("customer", 1),),
}
"""Of each transcript: who spoke, and in which session."""
STANDS = {
    HELD: (3, 1, "held", "an", 4),
    OFFERED: (2, 0, "offered", None, 3),
    WAITING: (5, 1, "queued", None, 2),
    UNFOLLOWED: (0, 0, "idle", None, 0),
}
"""Of each: chain number, epoch, standing, holder, and the last position that the notifier has applied."""

TALKED = """
INSERT INTO conversation
VALUES ('acme', $1, 'main', $2, $3, $4, $5, $6, $7, $8, $9, false, 2, true, 2, 1, $10)
"""
SAID = """
INSERT INTO message (workspace_id, conversation_id, position, message_id, session, sender, kind, page_id,
    clock_ahead, stored_at, seq)
VALUES ('acme', $1, $2, gen_random_uuid(), $3, $4, 'text', $5, false, $6, $7)
"""
NOTIFIED = "INSERT INTO notifier_conversation VALUES ('acme', $1, $2, $3, $4, $5, $5)"
RECIPIENTS = """
INSERT INTO notifier_recipient VALUES ('acme', $1, 3, 1, 'an', 1), ('acme', $2, 2, 0, NULL, 0)
"""
LISTED = """
INSERT INTO inbox
VALUES ('acme', 'an', $1, $3, true, 1, 2, 4, $4), ('acme', 'binh', $2, $3, false, 1, 0, 2, $4)
"""


@pytest.fixture
async def connection(empty_database: str) -> AsyncIterator[Connection]:
    """A database of version 0005 with four conversations, which has been upgraded."""
    _upgrade(empty_database, "0005")
    connection = await asyncpg.connect(empty_database)
    await _fill(connection)
    _upgrade(empty_database, "0006")
    yield connection
    await connection.close()


def _upgrade(dsn: str, revision: str) -> None:
    config = with_alembic._config()
    config.attributes["engine"] = with_alembic._engine(dsn)
    command.upgrade(config, revision)


async def _fill(connection: Connection) -> None:
    for conversation, (seq, epoch, standing, holder, applied) in STANDS.items():
        lines = MESSAGES[conversation]
        key = f"{PAGE}:{conversation.int}"
        await connection.execute(
            TALKED, conversation, LANE, key, PAGE, len(lines), seq, epoch, standing, holder, AT
        )
        said = [
            (conversation, position, session, sender, PAGE, AT, seq)
            for position, (sender, session) in enumerate(lines, 1)
        ]
        await connection.executemany(SAID, said)
        await connection.execute(NOTIFIED, conversation, seq, epoch, holder, applied)
    await connection.execute(RECIPIENTS, HELD, OFFERED)
    await connection.execute(LISTED, HELD, WAITING, PAGE, AT)
    await connection.execute("INSERT INTO inbox_counter VALUES ('acme', 'an', $1, 1, 2)", LANE)


async def test_everybody_sees_what_he_saw(connection: Connection) -> None:
    rows = await connection.fetch("SELECT * FROM notifier_conversation ORDER BY conversation_id")
    found = [
        (row["standing"], row["care"], row["audience"], row["followers"], row["session"], row["in_session"])
        for row in rows
    ]
    assert found == [
        ("held", "accepted", None, ["an"], 2, 1),
        ("offered", "new", f"page:{PAGE}", [], 1, 2),
        ("queued", "waiting", None, ["binh"], 2, 1),
        ("idle", "new", None, [], 0, 0),
    ]
    assert {(row["page_id"], row["lane"]) for row in rows} == {(PAGE, LANE)}


async def test_what_was_unread_is_unread_and_former_holders_follow(connection: Connection) -> None:
    rows = await connection.fetch("SELECT * FROM inbox ORDER BY agent_id")
    found = [(row["agent_id"], row["holds"], row["follows"], row["unread"], row["read_to"]) for row in rows]
    assert found == [("an", True, True, 2, 1), ("binh", False, True, 0, 2)]
    agents = await connection.fetch("SELECT agents FROM notifier_recipient ORDER BY seq DESC")
    assert [row["agents"] for row in agents] == [["an"], []]


async def test_the_counters_are_what_they_count(connection: Connection) -> None:
    rows = await connection.fetch("SELECT * FROM inbox_counter ORDER BY place")
    assert [tuple(row)[1:] for row in rows] == [
        ("agent:an", PAGE, LANE, 1, 2),
        ("held", PAGE, LANE, 1, 2),
        (f"page:{PAGE}", PAGE, LANE, 1, 2),
        ("unheld", PAGE, LANE, 2, 3),
    ]


async def test_the_versions_after_it_take_its_rows(connection: Connection, empty_database: str) -> None:
    with_alembic.upgrade(empty_database)
    assert with_alembic.pending(empty_database) == ()
    assert await connection.fetchval("SELECT count(*) FROM notifier_conversation") == len(STANDS)
