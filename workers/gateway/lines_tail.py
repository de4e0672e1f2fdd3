"""Reads new messages and how they fare from Kafka, as long as somebody here wants them."""

from __future__ import annotations

import asyncio

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from config.logging import get_logger
from config.settings import Settings
from config.topics import MESSAGES, RECEIPTS
from workers.channels.consumer import consuming, go_on
from workers.gateway.lines import Lines
from workers.gateway.tail import CLIENT
from workers.runtime.postgres import DATABASE_ERRORS

POLL_MS = 500
RECONNECT_S = 1.0
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
            try:
                await self._read()
            except (KafkaError, *DATABASE_ERRORS) as error:
                _log.warning("lines_interrupted", error=error)
                await asyncio.sleep(RECONNECT_S)
            finally:
                self._reading.clear()

    async def _read(self) -> None:
        async with consuming(self._settings, CLIENT) as consumer:
            self._positions = await go_on(consumer, self._topics, self._positions)
            self._reading.set()
            idle = 0
            while idle < IDLE_POLLS:
                for partition, records in (await consumer.getmany(timeout_ms=POLL_MS)).items():
                    await self._lines.take(records)
                    self._positions[partition] = records[-1].offset + 1
                idle = 0 if self._lines.wanted else idle + 1
            # At once: who asks from here on waits for the next reading.
            self._needed.clear()
            self._reading.clear()
            self._positions = {}
