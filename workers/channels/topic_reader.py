"""Reads topics beside the workers: without a group, so that no offset of theirs moves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from config.errors import DependencyError, TongdaiError
from config.kafka import KafkaSettings
from config.settings import Settings
from workers.runtime.ending import end_consumer

POLL_MS = 200
FETCH_WAIT_MS = 500
"""For how long a broker waits for a record; aiokafka's own."""
Offsets = Mapping[TopicPartition, int]


class TopicReader:
    """Committed records of some topics. Every method raises `TimeoutError` when Kafka is silent."""

    def __init__(
        self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], settings: Settings
    ) -> None:
        self.partitions = partitions
        self._consumer = consumer
        self._client_options = settings.kafka.client_options()
        self._deadline_s = settings.runtime.kafka_deadline_s

    def partition_of(self, key: bytes) -> TopicPartition:
        """Where producers put records with this key; for readers of one topic."""
        by_number = {each.partition: each for each in self.partitions}
        numbers = sorted(by_number)
        return by_number[DefaultPartitioner()(key, numbers, numbers)]

    async def begins(self) -> dict[TopicPartition, int]:
        """The first offset of each partition that is still kept."""
        async with asyncio.timeout(self._deadline_s):
            return dict(await self._consumer.beginning_offsets(self.partitions))

    async def ends(self) -> dict[TopicPartition, int]:
        """The offset behind the last committed record of each partition."""
        async with asyncio.timeout(self._deadline_s):
            return dict(await self._consumer.end_offsets(self.partitions))

    async def highest(self) -> dict[TopicPartition, int]:
        """The offset behind the last record of each partition, committed or not."""
        async with asyncio.timeout(self._deadline_s), AIOKafkaConsumer(**self._client_options) as consumer:
            return dict(await consumer.end_offsets(self.partitions))

    async def since(self, timestamp_ms: int) -> dict[TopicPartition, int]:
        """The first offset at or after a time, in milliseconds since 1970; a partition may have none."""
        async with asyncio.timeout(self._deadline_s):
            found = await self._consumer.offsets_for_times(dict.fromkeys(self.partitions, timestamp_ms))
        return {partition: entry.offset for partition, entry in found.items() if entry is not None}

    async def read(self, begins: Offsets, ends: Offsets) -> AsyncIterator[ConsumerRecord]:
        """The records from `begins` up to before `ends`, each partition in its order."""
        todo = {partition for partition, end in ends.items() if begins.get(partition, end) < end}
        self._seek({partition: begins[partition] for partition in todo})
        last_progress = time.monotonic()
        while todo:
            for partition, records in (await self._consumer.getmany(*todo, timeout_ms=POLL_MS)).items():
                last_progress = time.monotonic()
                for record in records:
                    if record.offset < ends[partition]:
                        yield record
            todo -= {each for each in todo if await self._consumer.position(each) >= ends[each]}
            if time.monotonic() - last_progress > self._deadline_s:
                raise TimeoutError

    async def passed(self, ends: Offsets) -> bool:
        """Whether whoever reads has seen everything up to before `ends`."""
        return all([await self._consumer.position(each) >= end for each, end in ends.items()])

    async def follow(self, begins: Offsets) -> AsyncIterator[ConsumerRecord]:
        """The records from `begins` on, without end."""
        self._seek(begins)
        while True:
            for records in (await self._consumer.getmany(timeout_ms=POLL_MS)).values():
                for record in records:
                    yield record

    def _seek(self, begins: Offsets) -> None:
        self._consumer.assign(list(begins))
        for partition, offset in begins.items():
            self._consumer.seek(partition, offset)


@asynccontextmanager
async def open_reader(settings: Settings, topics: Sequence[str]) -> AsyncIterator[TopicReader]:
    """Yield a reader of topics, by their full names; close it at the end.

    Raises `DependencyError` when Kafka does not answer, `TongdaiError` when a topic is missing.
    """
    kafka, deadline_s = settings.kafka, settings.runtime.kafka_deadline_s
    async with answering(kafka, deadline_s), reading(settings, topics) as reader:
        yield reader


@asynccontextmanager
async def reading(
    settings: Settings, topics: Sequence[str], *, only: int | None = None, fetch_wait_ms: int = FETCH_WAIT_MS
) -> AsyncIterator[TopicReader]:
    """The same, where Kafka's failures are no others' in the block; `only`: the partitions of this number.

    Raises `KafkaError`, `OSError`, `TimeoutError`, and `TongdaiError` when a topic is missing.
    """
    partitions = await read_partitions(settings, topics)
    consumer = AIOKafkaConsumer(
        **settings.kafka.client_options(),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",  # a record that expires while it is read is none
        isolation_level="read_committed",
        fetch_max_wait_ms=fetch_wait_ms,
    )
    try:
        async with asyncio.timeout(settings.runtime.kafka_deadline_s):
            await consumer.start()
        yield TopicReader(consumer, [each for each in partitions if only in {None, each.partition}], settings)
    finally:
        await end_consumer(consumer)


async def read_partitions(settings: Settings, topics: Sequence[str]) -> list[TopicPartition]:
    """The partitions of topics, by their full names. Raises `TongdaiError` when one does not exist."""
    admin = AIOKafkaAdminClient(**settings.kafka.client_options())
    try:
        async with asyncio.timeout(settings.runtime.kafka_deadline_s):
            await admin.start()
            # All are asked for: asking for a missing one by name may create it.
            described = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics()}
    finally:
        await admin.close()
    missing = [topic for topic in topics if topic not in described]
    if missing:
        raise TongdaiError(f"Kafka has no topic {', '.join(missing)}: create it with tongdai topics apply")
    return [
        TopicPartition(topic, partition["partition"]) for topic in topics for partition in described[topic]
    ]


@asynccontextmanager
async def answering(kafka: KafkaSettings, deadline_s: float) -> AsyncIterator[None]:
    """Turn Kafka's failures, and silence, into `DependencyError`."""
    try:
        yield
    except BrokenPipeError:
        raise  # whoever read what we print has seen enough
    except (KafkaError, OSError, TimeoutError) as error:
        why = f"within {deadline_s:g} s" if isinstance(error, TimeoutError) else f"as it should: {error}"
        raise DependencyError(
            f"Kafka at {kafka.bootstrap_servers} does not answer {why}. Check that it runs, and where "
            "tongdai config show says it is"
        ) from error
