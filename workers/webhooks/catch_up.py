"""Leads endpoints that are behind back to the feed: a stretch for one of them, then for the next.

How long that takes depends on Kafka alone and never on a receiver, for nothing is read that has no room.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from config.logging import get_logger
from config.settings import Settings
from workers.channels.consumer import DEADLINE_S, asked_to_end, partitions_of, start_consumer
from workers.runtime.ending import end_consumer
from workers.webhooks.batch import Batch, read_batch
from workers.webhooks.event import Place
from workers.webhooks.log import CLIENT, PARTITION_BYTES, Names
from workers.webhooks.metrics import EXPIRED

POLL_MS = 200
RECORDS_MAX = 500
"""At a time: what is read and finds no room is read again."""
STRETCH_S = 5.0
RECONNECT_S = 1.0

_log = get_logger(__name__)


class Behind(Protocol):
    """Somebody who is behind."""

    @property
    def workspace(self) -> str:
        """Whose events it wants."""

    def gaps(self) -> dict[Place, int]:
        """Where it is behind and has room: the offsets that it needs next."""

    def take(self, batch: Batch) -> None:
        """Take what is wanted of it."""

    def skip(self, place: Place, begin: int) -> None:
        """What is before `begin` is not kept any more."""


class CatchUp:
    """One reader for all that are behind, in turn."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._names = Names(settings)
        self._queue: dict[Behind, None] = {}
        self._some = asyncio.Event()
        self._turn = asyncio.Lock()
        self._consumer: AIOKafkaConsumer | None = None

    def want(self, one: Behind) -> None:
        """It is behind: read to it when it is its turn."""
        self._queue[one] = None
        self._some.set()

    def forget(self, one: Behind) -> None:
        """It wants nothing any more."""
        self._queue.pop(one, None)

    async def run(self) -> None:
        """Read until cancelled."""
        try:
            while True:
                await self._some.wait()
                self._some.clear()
                while self._queue:
                    await self._next(next(iter(self._queue)))
        finally:
            await self._disconnect()

    async def find(
        self, start: str | None, stored: Mapping[Place, int], topics: Sequence[str]
    ) -> dict[Place, int]:
        """Where an endpoint of these topics begins: at `start` if it is told, else where it stands.

        Raises KafkaError, TimeoutError.
        """
        asked = orjson.loads(start) if start is not None else {"at_ms": None, "positions": {}}
        async with self._turn, asyncio.timeout(DEADLINE_S):
            consumer = await self._connected()
            partitions = [
                one
                for one in await partitions_of(consumer, *self._names.full)
                if self._names.place(one).topic in topics
            ]
            begins = await consumer.beginning_offsets(partitions)
            ends = await consumer.end_offsets(partitions)
            since = await self._since(consumer, partitions, asked["at_ms"])
        found = {}
        for partition in partitions:
            place = self._names.place(partition)
            named = asked["positions"].get(place.topic, {}).get(str(place.partition))
            if named is not None:
                found[place] = min(max(named, begins[partition]), ends[partition])
            elif asked["at_ms"] is not None:
                found[place] = since.get(partition, ends[partition])
            else:
                found[place] = stored.get(place, begins[partition])
        return found

    async def _since(
        self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], at_ms: int | None
    ) -> dict[TopicPartition, int]:
        """The first offsets at or after a time; a partition may have none."""
        if at_ms is None:
            return {}
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, at_ms))
        return {partition: entry.offset for partition, entry in found.items() if entry is not None}

    async def _next(self, one: Behind) -> None:
        self._queue.pop(one)
        try:
            with asked_to_end():
                async with self._turn:
                    await self._lead(one, await self._connected())
        except (KafkaError, OSError, TimeoutError) as error:
            _log.warning("catching_up_interrupted", error=error)
            await self._disconnect()
            await asyncio.sleep(RECONNECT_S)
        if one.gaps():
            self.want(one)

    async def _lead(self, one: Behind, consumer: AIOKafkaConsumer) -> None:
        """Read to it where it is behind, until it is full, has come to the feed, or its time is over."""
        async with asyncio.timeout(DEADLINE_S):
            await self._skip_expired(one, consumer)
            positions = {self._names.partition(place): offset for place, offset in one.gaps().items()}
        if not positions:
            return
        consumer.assign(list(positions))
        for partition, offset in positions.items():
            consumer.seek(partition, offset)
        until_s = time.monotonic() + STRETCH_S
        while positions and time.monotonic() < until_s:
            found = await consumer.getmany(*positions, timeout_ms=POLL_MS, max_records=RECORDS_MAX)
            for partition, first in positions.items():
                next_ = await consumer.position(partition)
                self._tell(one, partition, first, next_, found.get(partition, ()))
            gaps = one.gaps()
            # What is full has its own records fetched again later; what is not goes on where it was.
            positions = {
                partition: gaps[self._names.place(partition)]
                for partition in positions
                if self._names.place(partition) in gaps
            }
        consumer.unsubscribe()

    def _tell(
        self, one: Behind, partition: TopicPartition, first: int, next_: int, records: Sequence[Any]
    ) -> None:
        place = self._names.place(partition)
        one.take(read_batch(place, first, next_, records, {one.workspace}))

    async def _skip_expired(self, one: Behind, consumer: AIOKafkaConsumer) -> None:
        gaps = one.gaps()
        begins = await consumer.beginning_offsets([self._names.partition(place) for place in gaps])
        for partition, begin in begins.items():
            place = self._names.place(partition)
            if gaps[place] < begin:
                EXPIRED.inc(begin - gaps[place])
                one.skip(place, begin)

    async def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            self._consumer = await start_consumer(self._settings, CLIENT, partition_bytes=PARTITION_BYTES)
        return self._consumer

    async def _disconnect(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await end_consumer(consumer)
