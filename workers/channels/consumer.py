"""Consumers without a group, which read topics whole as they are committed."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from config.settings import Settings

START_DEADLINE_S = 15.0


def new_consumer(settings: Settings, client_id: str) -> AIOKafkaConsumer:
    """A consumer without a group that sees what is committed."""
    return AIOKafkaConsumer(
        **settings.kafka.client_options(),
        client_id=client_id,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        retry_backoff_ms=20,
    )


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Let go of it, within a deadline: with its broker dead it may wait for ever."""
    with suppress(TimeoutError, KafkaError):
        async with asyncio.timeout(START_DEADLINE_S):
            await consumer.stop()


async def partitions_of(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    """The partitions of a topic, in order. Raises KafkaError when there is none of this name."""
    cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001 - asking by name may create it
    numbers = cluster.partitions_for_topic(topic)
    if not numbers:
        raise KafkaError(f"Kafka has no topic {topic}: run tongdai topics apply")
    return [TopicPartition(topic, number) for number in sorted(numbers)]


def is_told_to_end() -> bool:
    """Whether somebody has cancelled this task, and not what it waits for."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
