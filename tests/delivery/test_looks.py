"""How often a worker looks for what may be sent: couriers go only where something may go now."""

from __future__ import annotations

import asyncio
import time
from uuid import UUID

import asyncpg
import pytest

from tests.delivery.ground import DEADLINE_S, ONE, Ground, ground
from workers.channels.delivery import page_rows
from workers.channels.delivery.claims import take
from workers.channels.delivery.dispatcher import POLL_S
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers
LOOKS = 5
STOPPED = """
INSERT INTO lane (kind, id, stopped) VALUES ('delivery', 3, 'restored')
ON CONFLICT (kind, id) DO UPDATE SET stopped = excluded.stopped
"""


async def test_a_page_is_due_only_when_one_of_its_messages_may_be_taken(database: str) -> None:
    async with ground(database) as field:
        first = await field.say(ONE, "an", "một")
        await field.database.execute(STOPPED)
        assert await _is_due(field) is False, "its lane is stopped"
        await field.database.execute("UPDATE lane SET stopped = NULL WHERE kind = 'delivery'")
        assert await _is_due(field) is True
        await field.say(ONE, "an", "hai")
        assert await _take(field) == [first]
        assert await _is_due(field) is False, "another worker gives the first one to the channel"
        await _set(field, first, "state = 'unknown', due_at = now() + interval '20 seconds'")
        assert await _is_due(field) is False, "the first one waits for its echo"
        await _set(field, first, "state = 'queued', due_at = now() + interval '5 minutes'")
        assert await _is_due(field) is False, "the first one is tried again later"
        await field.say(ONE, "binh", "ba")
        assert await _is_due(field) is True, "another conversation does not wait for it"


async def test_what_waits_for_another_message_has_nobody_look_for_it_again_and_again(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks_s: list[float] = []
    enough = asyncio.Event()
    look = page_rows.due_pages

    async def counted(connection: Connection) -> list[str]:
        looks_s.append(time.monotonic())
        if len(looks_s) == LOOKS:
            enough.set()
        return await look(connection)

    async with ground(database) as field:
        first = await field.say(ONE, "an", "một")
        await field.say(ONE, "an", "hai")
        await _set(field, first, "state = 'unknown', due_at = now() + interval '1 hour'")
        monkeypatch.setattr(page_rows, "due_pages", counted)
        async with field.delivering(), asyncio.timeout(DEADLINE_S):
            await enough.wait()
    assert looks_s[-1] - looks_s[0] > (LOOKS - 2) * POLL_S


async def _is_due(field: Ground) -> bool:
    """Whether a courier is sent to the page; and that it would find something then, and only then."""
    async with field.database.acquire() as connection:
        due = ONE in await page_rows.due_pages(connection)
        trying = connection.transaction()
        await trying.start()
        assert due == bool(await _taken(connection, field))
        await trying.rollback()
    return due


async def _take(field: Ground) -> list[UUID]:
    async with field.database.acquire() as connection:
        return await _taken(connection, field)


async def _taken(connection: asyncpg.Connection, field: Ground) -> list[UUID]:
    taking = await take(connection, ONE, 10, field.settings.delivery)
    return [] if taking is None else [each.message for each in taking.claimed]


async def _set(field: Ground, message: UUID, what: str) -> None:
    status = await field.database.execute(f"UPDATE delivery SET {what} WHERE message_id = $1", message)
    assert status == "UPDATE 1"
