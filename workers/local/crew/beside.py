"""Work with others beside it that must not end: their failure ends the work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class Beside:
    """Tasks that run beside some work."""

    def __init__(self, tasks: list[asyncio.Task[None]]) -> None:
        self._tasks = tasks

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`; raises what a task beside it has failed with, as soon as one has."""
        task = asyncio.create_task(work)
        try:
            await asyncio.wait((task, *self._tasks), return_when=asyncio.FIRST_COMPLETED)
            for each in self._tasks:
                if each.done():
                    each.result()
            return await task
        finally:
            await _cancelled([task])


@asynccontextmanager
async def beside(*others: Coroutine[Any, Any, None]) -> AsyncIterator[Beside]:
    """Run the others until the block ends."""
    tasks = [asyncio.create_task(other) for other in others]
    try:
        yield Beside(tasks)
    finally:
        await _cancelled(tasks)


async def _cancelled(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
