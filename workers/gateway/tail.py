"""Reads outcomes and notifications whole, without a group, as they are committed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import ValidationError

from config.settings import Settings
from config.topics import NOTIFICATIONS, OUTCOMES
from schemas.catalogue import RECORDS
from schemas.envelope import UnreadableEnvelopeError, read_kind
from schemas.outcomes import Done, Refused
from workers.channels.consumer import DEADLINE_S, consuming, interrupted, partitions_of
from workers.gateway.metrics import GatewayMetrics
from workers.gateway.waiting import Waiting

Record = Any
"""aiokafka's ConsumerRecord with bytes; its types are incomplete."""
RECENT_S = 120
"""Notifications of so long ago are read at the start, for those who come back after a restart."""
POLL_MS = 1_000
CLIENT = "tongdai-gateway"


class Tail:
    """The one reader of a gateway; what goes wrong with Kafka makes it begin again where it was.

    Args:
        settings: where Kafka is.
        waiting: who is told of outcomes.
        on_start: takes the offsets from which notifications are read, one for each partition.
        on_notifications: takes what was committed, in the order of each partition.
    """

    def __init__(
        self,
        settings: Settings,
        waiting: Waiting,
        metrics: GatewayMetrics,
        on_start: Callable[[Sequence[int]], None],
        on_notifications: Callable[[Sequence[Record]], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._waiting = waiting
        self._metrics = metrics
        self._on_start = on_start
        self._on_notifications = on_notifications
        prefix = settings.kafka.topic_prefix
        self._outcomes, self._notifications = OUTCOMES.full_name(prefix), NOTIFICATIONS.full_name(prefix)
        self._positions: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}
        """Where it must come before anybody is served: the ends at the start; none: it has come there."""
        self.reading = False

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            async with interrupted("tail"):
                try:
                    await self._read()
                finally:
                    self._set_reading(reading=False)

    async def _read(self) -> None:
        async with consuming(self._settings, CLIENT) as consumer:
            async with asyncio.timeout(DEADLINE_S):
                await self._seek(consumer)
            while True:
                self._set_reading(reading=await self._is_warm(consumer))
                found = await consumer.getmany(timeout_ms=POLL_MS)
                for partition, records in found.items():
                    await self._take(partition, records)

    async def _seek(self, consumer: AIOKafkaConsumer) -> None:
        outcomes = await partitions_of(consumer, self._outcomes)
        notifications = await partitions_of(consumer, self._notifications)
        consumer.assign([*outcomes, *notifications])
        if not self._positions:
            self._ends = await consumer.end_offsets([*outcomes, *notifications])
            self._positions = dict(self._ends)
            since_ms = int(time.time() - RECENT_S) * 1000
            for partition, found in (
                await consumer.offsets_for_times(dict.fromkeys(notifications, since_ms))
            ).items():
                if found is not None:
                    self._positions[partition] = found.offset
            self._on_start([self._positions[partition] for partition in notifications])
        for partition, offset in self._positions.items():
            consumer.seek(partition, offset)

    async def _is_warm(self, consumer: AIOKafkaConsumer) -> bool:
        """Whether what is read is new to those who come now."""
        if self._ends and all([await consumer.position(one) >= end for one, end in self._ends.items()]):
            self._ends = {}
        return not self._ends

    async def _take(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        if not records:
            return
        if partition.topic == self._outcomes:
            for record in records:
                self._take_outcome(record)
        else:
            await self._on_notifications(records)
        self._positions[partition] = records[-1].offset + 1

    def _take_outcome(self, record: Record) -> None:
        """Tell who waits for it; a kind or a shape that this version does not know is passed over."""
        if not self._waiting.concerns(record.key):
            return
        try:
            model = RECORDS.get(read_kind(record.headers, OUTCOMES.name))
            outcome = model.model_validate_json(record.value) if model else None
        except (UnreadableEnvelopeError, ValidationError):
            return
        if isinstance(outcome, Done | Refused):
            self._waiting.tell(outcome)

    def _set_reading(self, *, reading: bool) -> None:
        if reading == self.reading:
            return
        self.reading = reading
        self._metrics.tailing.set(reading)
