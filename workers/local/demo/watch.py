"""Follows the topics while the demo runs, and keeps its tally."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from config.settings import Settings
from config.topics import ASSIGNMENTS, DEADLETTER, INBOUND, MESSAGES, NOTIFICATIONS, OUTCOMES
from workers.channels.topic_reader import Offsets
from workers.local.demo.log import Log, open_log
from workers.local.demo.tally import Tally

WATCHED = (INBOUND, MESSAGES, ASSIGNMENTS, OUTCOMES, DEADLETTER)
POLL_S = 0.05


class Watch:
    """What has been seen since it began.

    Each partition of notifications has a reader of its own: their arrival is timed, and a reader of several
    waits for the long poll of one before it asks for another.
    """

    def __init__(self, logs: Sequence[Log], tally: Tally) -> None:
        self.tally = tally
        self._logs = logs

    async def follow(self) -> list[Coroutine[Any, Any, None]]:
        """What to run beside the demo: it counts all that comes from now on, without end."""
        begins = await asyncio.gather(*(log.ends() for log in self._logs))
        return [self._follow(log, begin) for log, begin in zip(self._logs, begins, strict=True)]

    async def until_seen(self) -> None:
        """Wait until everything that is on the topics now has been seen; the deadline is the caller's."""
        for log in self._logs:
            ends = await log.ends()
            while not await log.passed(ends):  # noqa: ASYNC110 - a consumer's position, only to be asked
                await asyncio.sleep(POLL_S)

    async def _follow(self, log: Log, begins: Offsets) -> None:
        async for topic, record in log.follow(begins):
            self.tally.see(topic, record)


@asynccontextmanager
async def open_watch(settings: Settings, tally: Tally) -> AsyncIterator[Watch]:
    """Yield a watch that has not begun. Raises DependencyError when Kafka does not answer."""
    async with AsyncExitStack() as stack:
        opening = [open_log(settings, WATCHED)]
        opening += [
            open_log(settings, (NOTIFICATIONS,), only=number)
            for number in range(NOTIFICATIONS.partitions(settings.kafka))
        ]
        yield Watch([await stack.enter_async_context(each) for each in opening], tally)
