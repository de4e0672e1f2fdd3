"""The topics as the demo reads them: committed records only, without a group, beside the workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from config.errors import DependencyError
from config.settings import Settings
from config.topics import Topic

POLL_MS = 200
FETCH_WAIT_MS = 100
"""aiokafka asks for a partition just drained only after the long poll of the others."""

Offsets = Mapping[TopicPartition, int]


class Log:
    """Some topics: all their partitions, or the one of this number."""

    def __init__(
        self, consumer: AIOKafkaConsumer, settings: Settings, topics: Sequence[Topic], only: int | None
    ) -> None:
        self._consumer = consumer
        self._only = only
        self._kafka = settings.kafka
        self._deadline_s = settings.runtime.kafka_deadline_s
        self._topics = topics
        self._names = {topic.full_name(settings.kafka.topic_prefix): topic.name for topic in topics}

    @property
    def partitions(self) -> list[TopicPartition]:
        """The partitions that are read."""
        prefix = self._kafka.topic_prefix
        return [
            TopicPartition(topic.full_name(prefix), number)
            for topic in self._topics
            for number in range(topic.partitions(self._kafka))
            if self._only in {None, number}
        ]

    async def ends(self) -> dict[TopicPartition, int]:
        """The offset behind the last committed record of each partition. Raises DependencyError."""
        try:
            async with asyncio.timeout(self._deadline_s):
                return dict(await self._consumer.end_offsets(self.partitions))
        except (KafkaError, TimeoutError) as error:
            raise DependencyError(f"Kafka at {self._kafka.bootstrap_servers} does not answer.") from error

    async def follow(self, begins: Offsets) -> AsyncIterator[tuple[str, list[ConsumerRecord]]]:
        """Short topic names and records as they come, without end."""
        self._seek(begins)
        while True:
            for partition, records in (await self._consumer.getmany(timeout_ms=POLL_MS)).items():
                yield self._names[partition.topic], records

    async def read(self, begins: Offsets, ends: Offsets) -> AsyncIterator[tuple[str, ConsumerRecord]]:
        """Short topic names and records from `begins` up to before `ends`. Raises DependencyError."""
        left = {partition for partition, end in ends.items() if begins[partition] < end}
        self._seek({partition: begins[partition] for partition in left})
        while left:
            found = await self._some(left)
            for partition, records in found.items():
                for record in records:
                    if record.offset < ends[partition]:
                        yield self._names[partition.topic], record
            left -= {each for each in left if await self._consumer.position(each) >= ends[each]}

    async def passed(self, ends: Offsets) -> bool:
        """Whether whoever follows has seen everything up to before `ends`."""
        return all([await self._consumer.position(each) >= end for each, end in ends.items()])

    async def _some(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Records, or none when only markers of transactions came."""
        try:
            async with asyncio.timeout(self._deadline_s):
                found: dict[TopicPartition, list[ConsumerRecord]] = await self._consumer.getmany(
                    *partitions, timeout_ms=POLL_MS
                )
                return found
        except (KafkaError, TimeoutError) as error:
            raise DependencyError(f"Kafka at {self._kafka.bootstrap_servers} does not answer.") from error

    def _seek(self, begins: Offsets) -> None:
        self._consumer.assign(list(begins))
        for partition, offset in begins.items():
            self._consumer.seek(partition, offset)


@asynccontextmanager
async def open_log(
    settings: Settings, topics: Sequence[Topic], *, only: int | None = None
) -> AsyncIterator[Log]:
    """Yield a reader of these topics, which exist, or of one partition of each.

    Raises DependencyError when Kafka does not answer.
    """
    consumer = AIOKafkaConsumer(
        **settings.kafka.client_options(),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",  # a record that expires while it is read is none
        isolation_level="read_committed",
        fetch_max_wait_ms=FETCH_WAIT_MS,
    )
    try:
        async with asyncio.timeout(settings.runtime.kafka_deadline_s):
            await consumer.start()
    except (KafkaError, TimeoutError) as error:
        raise DependencyError(f"Kafka at {settings.kafka.bootstrap_servers} does not answer.") from error
    try:
        yield Log(consumer, settings, topics, only)
    finally:
        await asyncio.wait_for(consumer.stop(), settings.runtime.kafka_deadline_s)
