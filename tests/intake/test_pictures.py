"""Customers' pictures: fetched when their channel shows another one, forgotten when it shows it no more."""

from __future__ import annotations

from uuid import uuid4

import pytest

from schemas.ids import conversation_id, picture_file_id
from tests.intake.conftest import Run
from tests.intake.log import Log, key_of
from workers.files import rows
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers
CONVERSATION = conversation_id(key_of("an"))
FIRST, SECOND = "https://cdn.example/1.jpg", "https://cdn.example/2.jpg"
HIS = "SELECT url FROM file WHERE conversation_id = $1 AND message_id = $1"
FORGOTTEN = "SELECT url FROM file WHERE conversation_id = $1 AND message_id IS NULL"


async def shows(log: Log, run: Run, *pictures: str) -> None:
    """His channel tells of them, in one batch."""
    for picture in pictures:
        log.say("an", str(uuid4()), customer_picture=picture)
    await run(log.batch())


async def urls(connection: Connection, statement: str) -> list[str]:
    return sorted(row["url"] for row in await connection.fetch(statement, CONVERSATION))


async def test_the_last_one_is_fetched_and_the_former_forgotten(
    connection: Connection, run: Run, log: Log
) -> None:
    await shows(log, run, FIRST)
    await shows(log, run, FIRST)
    assert (await urls(connection, HIS), await urls(connection, FORGOTTEN)) == ([FIRST], [])
    (wanted,) = await rows.claim(connection, 9, 60.0)
    assert (wanted.id, wanted.url) == (picture_file_id(str(CONVERSATION), FIRST), FIRST)
    await shows(log, run, SECOND)
    assert (await urls(connection, HIS), await urls(connection, FORGOTTEN)) == ([SECOND], [FIRST])
    await shows(log, run, FIRST)
    assert (await urls(connection, HIS), await urls(connection, FORGOTTEN)) == ([FIRST], [SECOND])


async def test_what_changes_within_a_batch_is_as_it_stands_at_its_end(
    connection: Connection, run: Run, log: Log
) -> None:
    await shows(log, run, FIRST, SECOND, FIRST, SECOND)
    assert (await urls(connection, HIS), await urls(connection, FORGOTTEN)) == ([SECOND], [])
    await shows(log, run, FIRST, SECOND)
    assert (await urls(connection, HIS), await urls(connection, FORGOTTEN)) == ([SECOND], [])
