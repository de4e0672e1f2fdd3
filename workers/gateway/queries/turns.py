"""How many reads of one actor are under way at once: his others wait for them, and nobody else does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from workers.gateway.problem import too_many

AT_ONCE = 2
WAIT_S = 2.0
"""As long as for a connection."""


class Turns:
    """Of all actors.

    Args:
        at_once: so many reads of each.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._rooms: dict[str, tuple[asyncio.Semaphore, set[object]]] = {}
        """With the reads that are under way or wait: a room is there as long as somebody is in it."""

    @asynccontextmanager
    async def one(self, actor: str) -> AsyncIterator[None]:
        """While `actor` reads something. Raises ApiError when his others take too long."""
        room, reads = self._rooms.setdefault(actor, (asyncio.Semaphore(self._at_once), set()))
        read = object()
        reads.add(read)
        try:
            await _enter(room)
            try:
                yield
            finally:
                room.release()
        finally:
            reads.discard(read)
            if not reads:
                del self._rooms[actor]

    def __len__(self) -> int:
        return len(self._rooms)


async def _enter(room: asyncio.Semaphore) -> None:
    try:
        async with asyncio.timeout(WAIT_S):
            await room.acquire()
    except TimeoutError as error:
        raise too_many("You read too much at once: wait for the answers.", 1.0) from error
