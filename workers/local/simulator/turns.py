"""Tasks of one run, at most so many at once: each is one webhook and what follows from it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Turns:
    """Begins tasks in a group; whoever begins one waits for a free place first."""

    def __init__(self, group: asyncio.TaskGroup, places: int) -> None:
        self._group = group
        self._places = asyncio.Semaphore(places)

    async def begin(self, turn: Coroutine[Any, Any, None]) -> None:
        """Begin `turn` once there is a place for it."""
        await self._places.acquire()
        self._group.create_task(turn).add_done_callback(lambda _: self._places.release())

    def begin_late(self, turn: Coroutine[Any, Any, None]) -> None:
        """Begin what mostly waits for its moment, without a place of its own."""
        self._group.create_task(turn)
