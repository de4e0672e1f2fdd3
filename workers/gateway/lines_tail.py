"""Reads new messages and how they fare from Kafka, as long as somebody here wants them."""

from __future__ import annotations

import asyncio

from aiokafka import TopicPartition

from config.logging import get_logger
from config.settings import Settings
from config.topics import MESSAGES, RECEIPTS
from workers.channels.consumer import interrupted, reading_on
from workers.gateway.lines import Lines
from workers.gateway.tail import CLIENT

IDLE_POLLS = 60
"""So many polls after the last one has gone, nothing is read any more."""
READY_DEADLINE_S = 5.0

_log = get_logger(__name__)


class LinesTail:
    """The reader; without anybody who wants lines it costs nothing."""

    def __init__(self, settings: Settings, lines: Lines) -> None:
        self._settings = settings
        self._lines = lines
        prefix = settings.kafka.topic_prefix
        self._topics = [topic.full_name(prefix) for topic in (MESSAGES, RECEIPTS)]
        self._positions: dict[TopicPartition, int] = {}
        self._idle = 0
        self._needed = asyncio.Event()
        self._reading = asyncio.Event()

    async def ready(self) -> None:
        """Return when every line from now on is told; without Kafka after a while, for then none comes."""
        self._needed.set()
        try:
            async with asyncio.timeout(READY_DEADLINE_S):
                await self._reading.wait()
        except TimeoutError:
            _log.warning("lines_not_ready")

    async def run(self) -> None:
        """Read when it is needed, until cancelled; an interruption loses nothing."""
        while True:
            await self._needed.wait()
            self._idle = 0
            async with interrupted("lines"):
                try:
                    await self._read()
                finally:
                    self._reading.clear()

    async def _read(self) -> None:
        take, begin = self._lines.take, self._reading.set
        await reading_on(
            self._settings, CLIENT, self._topics, self._positions, take, begin, goes_on=self._is_needed
        )

    def _is_needed(self) -> bool:
        """Whether anybody wanted lines at one of the last polls; if not, this reading is over."""
        self._idle = 0 if self._lines.wanted else self._idle + 1
        if self._idle < IDLE_POLLS:
            return True
        # At once: who asks from here on waits for the next reading.
        self._needed.clear()
        self._reading.clear()
        self._positions.clear()
        return False
