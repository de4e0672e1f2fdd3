"""Ctrl-C and SIGTERM: the first asks to stop in order, the second to stop at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class StoppedEarlyError(Exception):
    """A person asked to stop before the work was done; no failure."""


class Stop:
    """What has been asked for until now.

    Attributes:
        asked: set by the first signal.
        hurried: set by the second.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurried = asyncio.Event()

    def ask(self) -> None:
        """Ask to stop; ask again to hurry."""
        (self.hurried if self.asked.is_set() else self.asked).set()

    async def unless_asked(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, which is cancelled when somebody asks to stop.

        Raises StoppedEarlyError, and whatever `work` raises.
        """
        return await _unless(self.asked, work)

    async def unless_hurried(self, work: Coroutine[Any, Any, T]) -> T:
        """The same for work that goes on after the first signal, until the second."""
        return await _unless(self.hurried, work)


async def _unless(event: asyncio.Event, work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.create_task(work)
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise StoppedEarlyError
    finally:
        waiting.cancel()
        await _cancelled(task)


async def _cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel and wait until it has cleaned up; what it failed with on the way out is of no interest."""
    if not task.done():
        task.cancel()
        await asyncio.wait((task,))


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Have SIGINT and SIGTERM ask to stop while the block runs."""
    stop = Stop()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, stop.ask)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
