"""What a client has missed for longer than memory goes back, read from Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from aiokafka import TopicPartition

from config.settings import Settings
from config.topics import NOTIFICATIONS
from workers.channels.consumer import DEADLINE_S as FIND_DEADLINE_S
from workers.channels.consumer import consuming
from workers.gateway.notices import Noted, noted
from workers.gateway.tail import CLIENT

AT_ONCE_MAX = 4
RECORDS_MAX = 20_000
"""More than so many, and it is quicker to load lists anew."""
POLL_MS = 200
DEADLINE_S = 20.0


class TooOldError(Exception):
    """It is not there any more, or is too much."""


class Replay:
    """Reads stretches of notifications, a few at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = NOTIFICATIONS.full_name(settings.kafka.topic_prefix)
        self._room = asyncio.Semaphore(AT_ONCE_MAX)

    async def read(self, since: Sequence[int], to: Sequence[int]) -> AsyncIterator[Noted]:
        """What stands between these offsets of each partition, in the order of each partition.

        Raises TooOldError, KafkaError, TimeoutError.
        """
        wanted = {
            number: span for number, span in enumerate(zip(since, to, strict=True)) if span[0] < span[1]
        }
        if sum(end - start for start, end in wanted.values()) > RECORDS_MAX:
            raise TooOldError
        async with self._room:
            async for one in self._read(wanted):
                yield one

    async def ends(self, count: int) -> list[int]:
        """Where the first `count` partitions end now. Raises KafkaError, TimeoutError."""
        partitions = [TopicPartition(self._topic, number) for number in range(count)]
        async with (
            self._room,
            consuming(self._settings, CLIENT) as consumer,
            asyncio.timeout(FIND_DEADLINE_S),
        ):
            ends = await consumer.end_offsets(partitions)
        return [ends[partition] for partition in partitions]

    async def _read(self, wanted: dict[int, tuple[int, int]]) -> AsyncIterator[Noted]:
        partitions = {TopicPartition(self._topic, number): span for number, span in wanted.items()}
        async with consuming(self._settings, CLIENT) as consumer:
            async with asyncio.timeout(FIND_DEADLINE_S):
                starts = await consumer.beginning_offsets(list(partitions))
            if any(starts[partition] > span[0] for partition, span in partitions.items()):
                raise TooOldError
            consumer.assign(list(partitions))
            for partition, (start, _) in partitions.items():
                consumer.seek(partition, start)
            deadline_s = asyncio.get_running_loop().time() + DEADLINE_S
            while any([await consumer.position(one) < end for one, (_, end) in partitions.items()]):
                if asyncio.get_running_loop().time() > deadline_s:
                    raise TooOldError
                for partition, records in (await consumer.getmany(timeout_ms=POLL_MS)).items():
                    end = partitions[partition][1]
                    for record in records:
                        one = noted(record) if record.offset < end else None
                        if one is not None:
                            yield one
