"""Thinking through what a desk would decide, without deciding it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

from asyncpg import Connection

from schemas.commands import AskedCommand
from schemas.envelope import moment
from workers.gateway.problem import too_many, unavailable
from workers.routing.desk.desk import Desk
from workers.routing.desk.preview import desk_before

PREVIEW = "preview"
"""Under this key and actor it is thought through: no outcome of another request is its own."""
ASKING_MAX = 2
"""One that is thought through, and one that waits for it."""
C = TypeVar("C", bound=AskedCommand)
T = TypeVar("T")


class Foresight:
    """One command at a time, and beside the event loop."""

    def __init__(self) -> None:
        self._room = asyncio.Lock()
        self._asking: set[str] = set()

    @asynccontextmanager
    async def turn(self, actor: str) -> AsyncIterator[None]:
        """The right to think something through, to be had before the connection that it needs.

        Raises ApiError when `actor` has one already, or too many wait.
        """
        if actor in self._asking:
            raise too_many("You ask already what would be: wait for that answer.", 1.0)
        if len(self._asking) >= ASKING_MAX:
            raise unavailable("busy", "Others ask what would be: ask again in a moment.")
        self._asking.add(actor)
        try:
            async with self._room:
                yield
        finally:
            self._asking.discard(actor)

    async def of(self, connection: Connection, command: C, decide: Callable[[Desk, C, datetime], T]) -> T:
        """What `decide` finds of the desk as its tables have it, were `command` decided on at this moment.

        Only in one's turn.
        """
        command = command.model_copy(update={"actor": PREVIEW, "idempotency_key": PREVIEW})
        at = moment(int(datetime.now(UTC).timestamp() * 1000))
        desk = await desk_before(connection, command)
        return await asyncio.to_thread(decide, desk, command, at)
