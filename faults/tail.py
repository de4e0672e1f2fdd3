"""A reader of topics in a run: through every outage it goes on where it was, and says what it was shown."""

from __future__ import annotations

import asyncio
import random
import time
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from workers.runtime.ending import end_consumer

Note = Callable[..., None]
"""Writes a line of these fields down."""
OUTAGE = (KafkaError, OSError, TimeoutError, AssertionError)
"""aiokafka asserts that there is a broker."""
GATHER_MS, GATHER_BYTES = 1_000, 1 << 20
"""So long the broker gathers what it shows next: many small answers would take much more of a processor."""
POLL_MS = 2_500
START_S, STOP_S, RETRY_S = 8.0, 2.0, 0.5
SILENT_S = 20.0
"""A connection on which nothing came for so long may be dead."""
AGAIN = 0.1
"""How probable it is that it looks again, after a poll."""
STRETCH = 200
"""So many records it looks at again."""


class Tail:
    """Reads committed records from the beginning, as nobody's member; now and then some of them again.

    Args:
        servers: Kafka's addresses.
        parts: what it reads, and what its lines call each topic.
        seed: of when it looks again, and where.
        note: takes what it does before it does so, and what it was shown.
    """

    def __init__(self, servers: str, parts: Mapping[TopicPartition, str], seed: int, note: Note) -> None:
        self._servers = servers
        self._parts = parts
        self._next = dict.fromkeys(parts, 0)
        """Where it goes on."""
        self._random = random.Random(f"{seed} tail")
        self._note = note
        self._is_over = False

    async def read(self) -> None:
        """Read until it is told to finish, and then to the end."""
        while True:
            try:
                async with self._connected() as consumer:
                    await self._read(consumer)
            except OUTAGE:
                await asyncio.sleep(RETRY_S)
            else:
                return

    def finish(self) -> None:
        """Nothing more will come."""
        self._is_over = True

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        heard = time.monotonic()
        while not (self._is_over and await self._is_at_end(consumer)):
            found = await consumer.getmany(timeout_ms=POLL_MS)
            self._tell(found)
            heard = time.monotonic() if found else heard
            if time.monotonic() - heard > SILENT_S:
                raise TimeoutError
            if self._random.random() < AGAIN:
                await self._look_again(consumer)

    async def _look_again(self, consumer: AIOKafkaConsumer) -> None:
        """At a stretch of what it has read of one partition, wherever it lies."""
        read = [part for part, offset in self._next.items() if offset]
        if not read:
            return
        part = self._random.choice(read)
        self._go(consumer, part, self._random.randrange(self._next[part]))
        self._tell(await consumer.getmany(part, timeout_ms=POLL_MS, max_records=STRETCH))
        self._go(consumer, part, self._next[part])

    def _go(self, consumer: AIOKafkaConsumer, part: TopicPartition, offset: int) -> None:
        self._note(type="seek", topic=self._parts[part], partition=part.partition, offset=offset)
        consumer.seek(part, offset)

    def _tell(self, found: Mapping[TopicPartition, Sequence[Any]]) -> None:
        for part, records in found.items():
            if records:  # markers of transactions are none
                self._note(type="poll", topic=self._parts[part], partition=part.partition, **_shown(records))
                self._next[part] = max(self._next[part], records[-1].offset + 1)

    async def _is_at_end(self, consumer: AIOKafkaConsumer) -> bool:
        ends = await consumer.end_offsets(list(self._parts))
        return all([await consumer.position(part) >= end for part, end in ends.items()])

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AIOKafkaConsumer]:
        """By a new connection, on which it goes on where it was."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._servers,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=GATHER_MS,
            fetch_min_bytes=GATHER_BYTES,
        )
        try:
            async with asyncio.timeout(START_S):
                await consumer.start()
            consumer.assign(list(self._parts))
            for part, offset in self._next.items():
                self._go(consumer, part, offset)
            yield consumer
        finally:
            await end_consumer(consumer, STOP_S)


def _shown(records: Sequence[Any]) -> dict[str, list[Any]]:
    return {
        "offsets": [record.offset for record in records],
        "ids": [dict(record.headers).get("ce_id", b"").decode() for record in records],
        "sums": [zlib.crc32(record.value or b"", zlib.crc32(record.key or b"")) for record in records],
    }
