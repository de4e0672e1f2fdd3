"""Thinking through what a desk would decide, without deciding it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from asyncpg import Connection

from schemas.commands import AskedCommand
from schemas.envelope import moment
from workers.routing.desk.desk import Desk
from workers.routing.desk.preview import desk_before

C = TypeVar("C", bound=AskedCommand)
T = TypeVar("T")


class Foresight:
    """One command at a time, and beside the event loop."""

    def __init__(self) -> None:
        self._room = asyncio.Lock()

    async def of(self, connection: Connection, command: C, decide: Callable[[Desk, C, datetime], T]) -> T:
        """What `decide` finds of the desk as its tables have it, were `command` decided on at this moment."""
        at = moment(int(datetime.now(UTC).timestamp() * 1000))
        async with self._room:
            desk = await desk_before(connection, command)
            return await asyncio.to_thread(decide, desk, command, at)
