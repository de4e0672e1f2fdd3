"""How the topics are read: without a group, what is committed, a bounded amount at a time."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from config.settings import Settings
from workers.webhooks.event import Place
from workers.webhooks.selection import TOPICS

DEADLINE_S = 15.0
PARTITION_BYTES = 262_144
"""Fetched ahead of each partition; a larger record comes alone."""


class Names:
    """Full names of topics, and back."""

    def __init__(self, settings: Settings) -> None:
        self._full = {name: topic.full_name(settings.kafka.topic_prefix) for name, topic in TOPICS.items()}
        self._short = {full: name for name, full in self._full.items()}

    def partition(self, place: Place) -> TopicPartition:
        """As aiokafka has it."""
        return TopicPartition(self._full[place.topic], place.partition)

    def place(self, partition: TopicPartition) -> Place:
        """As we have it."""
        return Place(self._short[partition.topic], partition.partition)

    async def partitions(self, consumer: AIOKafkaConsumer) -> list[TopicPartition]:
        """All partitions of all topics that can be chosen. Raises KafkaError when a topic is missing."""
        cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001 - asking by name may create it
        found = {topic: cluster.partitions_for_topic(topic) for topic in self._short}
        missing = [topic for topic, numbers in found.items() if not numbers]
        if missing:
            raise KafkaError(f"Kafka has no topic {missing[0]}: run tongdai topics apply")
        return [
            TopicPartition(topic, number) for topic, numbers in found.items() for number in sorted(numbers)
        ]


async def start_consumer(settings: Settings) -> AIOKafkaConsumer:
    """A connected consumer. Raises KafkaError, TimeoutError."""
    consumer = AIOKafkaConsumer(
        **settings.kafka.client_options(),
        client_id="tongdai-webhooks",
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        max_partition_fetch_bytes=PARTITION_BYTES,
        retry_backoff_ms=20,
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            await consumer.start()
    except BaseException:
        await stop_consumer(consumer)
        raise
    return consumer


async def stop_consumer(consumer: AIOKafkaConsumer | None) -> None:
    """Let go of it, within a deadline: with its broker dead it may wait for ever."""
    if consumer is None:
        return
    with suppress(TimeoutError, KafkaError):
        async with asyncio.timeout(DEADLINE_S):
            await consumer.stop()
