"""The reader of tables writes down how conversations stood at one moment, and goes on after an outage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from faults import snapshots
from faults.snapshots import EARLIER, LAST, LINES, Snapshots
from tests.waiting import eventually

pytestmark = pytest.mark.servers
Lines = list[dict[str, Any]]
LOOKS = 5
_CONVERSATION = """
INSERT INTO conversation (workspace_id, conversation_id, desk_id, lane, key, page_id, position, seq, epoch,
    standing, holder, route_unanswered, session, session_open, session_customer_messages,
    session_agent_messages, last_at)
VALUES ('acme', $1, 'main', 0, 'key', 'page', $2, 3, 1, 'held', 'an', false, 1, true, 1, 1,
    now() - make_interval(mins => $3))
"""
_LINE = """
INSERT INTO message (workspace_id, conversation_id, position, message_id, session, sender, kind, page_id,
    clock_ahead, stored_at, seq)
VALUES ('acme', $1, $2, $3, 1, 'customer', 'text', 'page', false, now(), 0)
"""
_DESK = """
INSERT INTO desk_conversation (workspace_id, conversation_id, desk_id, key, page_id, seq, last_event_id,
    epoch, round, care, standing, holder, session, session_open, after_position)
VALUES ('acme', $1, 'main', 'key', 'page', 4, $2, 1, 1, 'accepted', 'held', 'an', 1, true, 1)
"""


@asynccontextmanager
async def looking(database: str) -> AsyncIterator[Lines]:
    """What somebody writes down who looks meanwhile."""
    lines: Lines = []

    def note(**line: object) -> None:
        lines.append(orjson.loads(orjson.dumps(line)))

    task = asyncio.create_task(Snapshots(database, "acme", 1, note).watch())
    try:
        yield lines
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def more(lines: Lines, snapshots: int = 2) -> dict[str, Any]:
    """The last snapshot, of which at least the last began from here on; all look so often at least."""
    enough = len(lines) + snapshots

    async def are_there() -> bool:
        return len(lines) >= enough

    await eventually(are_there, "it looks again")
    return lines[-1]


async def begin(connection: asyncpg.Connection, lines: int, minutes_ago: int = 0) -> tuple[UUID, list[UUID]]:
    """A conversation with so many lines; its id, and theirs."""
    id_, messages = uuid4(), [uuid4() for _ in range(lines)]
    await connection.execute(_CONVERSATION, id_, lines, minutes_ago)
    for position, message in enumerate(messages, start=1):
        await connection.execute(_LINE, id_, position, message)
    return id_, messages


async def test_it_tells_the_rows_and_the_lines_of_a_conversation(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "PAUSE_S", 0.05)
    connection = await asyncpg.connect(database)
    id_, messages = await begin(connection, LINES + 3)
    about = {"conversation": str(id_), "position": LINES + 3, "seq": 3, "epoch": 1, "holder": "an"}
    about |= {"positions": list(range(1, LINES + 4)), "messages": list(map(str, messages[3:]))}
    async with looking(database) as lines:
        assert (await more(lines))["conversations"] == [about | {"desk": None}]
        event = uuid4()
        await connection.execute(_DESK, id_, event)
        desk = {"seq": 4, "event": str(event), "epoch": 1, "holder": "an"}
        assert (await more(lines))["conversations"] == [about | {"desk": desk}]
    await connection.close()


async def test_it_shows_who_wrote_last_and_some_that_it_has_shown_before(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "PAUSE_S", 0.05)
    connection = await asyncpg.connect(database)
    former = {str((await begin(connection, 0, 60))[0]) for _ in range(LAST)}
    async with looking(database) as lines:
        await more(lines, EARLIER)
        last = {str((await begin(connection, 0))[0]) for _ in range(LAST)}
        snapshot = await more(lines)
    await connection.close()
    shown = [one["conversation"] for one in snapshot["conversations"]]
    assert last <= set(shown) <= last | former
    assert 0 < len(set(shown) & former) <= EARLIER
    assert len(shown) == len(set(shown))


async def test_no_snapshot_shows_half_of_a_transaction(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "PAUSE_S", 0.0)
    monkeypatch.setattr(snapshots, "PART", 1.0)
    connection = await asyncpg.connect(database)
    id_, _ = await begin(connection, 0)
    async with looking(database) as lines:
        for position in count(1):
            async with connection.transaction():
                await connection.execute("UPDATE conversation SET position = $1", position)
                await connection.execute(_LINE, id_, position, uuid4())
            if len(lines) > LOOKS:
                break
    await connection.close()
    stood = [one for line in lines for one in line["conversations"]]
    assert all(one["positions"] == list(range(1, one["position"] + 1)) for one in stood)
    assert len({one["position"] for one in stood}) > 1


async def test_it_goes_on_after_its_session_was_ended(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "PAUSE_S", 0.05)
    connection = await asyncpg.connect(database)
    async with looking(database) as lines:
        await more(lines)
        ended = await connection.fetchval(
            "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert ended > 0
        await begin(connection, 1)
        assert len((await more(lines))["conversations"]) == 1
    await connection.close()
