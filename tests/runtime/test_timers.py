"""What has come due is published once for each time that it was armed, under an id of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from schemas.envelope import Kind
from schemas.ids import EVENTS, uuid5
from workers.runtime.batch import Event, TimerDue
from workers.runtime.handler import Connection
from workers.runtime.identity import identity
from workers.runtime.lanes import Lane, Lanes
from workers.runtime.ledger import Ledger, prepare
from workers.runtime.timers import store_due

pytestmark = pytest.mark.servers

LEDGER = Ledger("desk")
ME = "me"
TIMER = TimerDue(
    lane=0,
    topic="commands",
    id=uuid5(EVENTS, "a timer"),
    key=b"acme:main",
    kind=Kind("commands", "timer_fired"),
    value=b"{}",
)


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database)
    await LEDGER.create(connection, [0])
    await LEDGER.claim(connection, ME, [0], [None])
    await prepare(connection)
    yield connection
    await connection.close()


def held(offset: int, batch_no: int = 0) -> Lane:
    """The only lane, where its inputs are read up to `offset`."""
    return Lane(0, batch_no, {"commands": offset}, 0, confirmed=batch_no)


async def taken(connection: Connection, lane: Lane) -> list[Event]:
    """What is published of a timer that is due, whenever it is asked for."""

    async def due_timers(*_: object) -> list[TimerDue]:
        return [TIMER]

    handler: Any = SimpleNamespace(kind="desk", due_timers=due_timers)
    lanes = Lanes()
    lanes.hold(lane)
    return (await store_due(handler, LEDGER, connection, ME, lanes, now_ms=0)).events


def id_of(event: Event) -> str:
    """The identity by which readers know it."""
    return identity(event.topic, event.headers)


async def test_what_came_too_early_comes_again_under_another_id(connection: Connection) -> None:
    [early] = await taken(connection, held(offset=7))
    [again] = await taken(connection, held(offset=8, batch_no=1))
    assert id_of(early) != id_of(again)
    assert early.value == again.value


async def test_what_was_published_before_postgres_was_restored_is_not_published_again(
    connection: Connection,
) -> None:
    [before] = await taken(connection, held(offset=7))
    restored = held(offset=7, batch_no=1)
    restored.published_ahead.add(id_of(before))
    assert await taken(connection, restored) == []
