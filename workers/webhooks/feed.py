"""The ends of the topics, read once for all endpoints of a worker.

It never waits for an endpoint: who has no room falls behind, and is led back by `CatchUp`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from config.settings import Settings
from workers.channels.consumer import DEADLINE_S, consuming, interrupted, partitions_of
from workers.webhooks.batch import Batch, read_batch
from workers.webhooks.event import Place
from workers.webhooks.log import CLIENT, PARTITION_BYTES, Names

POLL_MS = 1_000
RECORDS_MAX = 2_000


class Reader(Protocol):
    """Somebody to whom the log is read."""

    @property
    def workspace(self) -> str:
        """Whose events it wants."""

    def take(self, batch: Batch) -> None:
        """Take what is wanted of it."""


class Feed:
    """Reads every partition from where its end was at the start."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._names = Names(settings)
        self._readers: set[Reader] = set()
        self.ends: dict[Place, int] = {}
        """How far each partition was read: who has come so far misses nothing from here on."""
        self.is_reading = False
        self.started = asyncio.Event()

    def join(self, reader: Reader) -> None:
        """Read to it from now on."""
        self._readers.add(reader)

    def leave(self, reader: Reader) -> None:
        """Read to it no more."""
        self._readers.discard(reader)

    async def run(self) -> None:
        """Read until cancelled; what goes wrong with Kafka makes it begin again where it was."""
        while True:
            async with interrupted("feed"):
                try:
                    async with consuming(self._settings, CLIENT, partition_bytes=PARTITION_BYTES) as consumer:
                        await self._read(consumer)
                finally:
                    self.is_reading = False

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        async with asyncio.timeout(DEADLINE_S):
            partitions = await partitions_of(consumer, *self._names.full)
            consumer.assign(partitions)
            new = [one for one in partitions if self._names.place(one) not in self.ends]
            found = await consumer.end_offsets(new)
            self.ends |= {self._names.place(one): offset for one, offset in found.items()}
        for place, offset in self.ends.items():
            consumer.seek(self._names.partition(place), offset)
        self.is_reading = True
        self.started.set()
        while True:
            try:
                records = await consumer.getmany(timeout_ms=POLL_MS, max_records=RECORDS_MAX)
            except OffsetOutOfRangeError as error:
                await self._skip(consumer, list(error.args[0]))
                continue
            for partition, some in records.items():
                self._tell(partition, some, await consumer.position(partition))

    def _tell(self, partition: TopicPartition, records: Sequence[Any], next_: int) -> None:
        place = self._names.place(partition)
        workspaces = {reader.workspace for reader in self._readers}
        batch = read_batch(place, self.ends[place], next_, records, workspaces)
        for reader in self._readers:
            reader.take(batch)
        self.ends[place] = next_

    async def _skip(self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> None:
        """What expired before it was read is missed by all, who find out when they catch up."""
        async with asyncio.timeout(DEADLINE_S):
            begins = await consumer.beginning_offsets(partitions)
        for partition, begin in begins.items():
            self.ends[self._names.place(partition)] = begin
            consumer.seek(partition, begin)
