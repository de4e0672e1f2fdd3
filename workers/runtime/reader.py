"""A consumer beside the lanes: without a group, begun and ended within deadlines, also when Kafka is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from config.settings import Settings
from workers.runtime.ending import end_consumer
from workers.runtime.failures import DependencyDownError

LOOK_UP_DEADLINE_S = 60.0
"""For all partitions of all topics."""


@asynccontextmanager
async def open_reader(
    settings: Settings, isolation_level: str = "read_committed"
) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer to which partitions are to be assigned. Raises DependencyDownError."""
    deadline_s = settings.runtime.kafka_deadline_s
    consumer = AIOKafkaConsumer(
        **settings.kafka.client_options(),
        isolation_level=isolation_level,
        enable_auto_commit=False,
        auto_offset_reset="none",
    )
    try:
        try:
            async with asyncio.timeout(deadline_s):
                await consumer.start()
        except (KafkaError, TimeoutError, OSError) as error:
            servers = settings.kafka.bootstrap_servers
            raise DependencyDownError(f"Kafka at {servers} does not answer: {error!r}") from error
        yield consumer
    finally:
        await end_consumer(consumer)


@asynccontextmanager
async def looking_up(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer to be asked where logs begin and end, to their real ends. Raises DependencyDownError."""
    async with open_reader(settings, "read_uncommitted") as consumer:
        try:
            async with asyncio.timeout(LOOK_UP_DEADLINE_S):
                yield consumer
        except (KafkaError, TimeoutError) as error:
            raise DependencyDownError(
                f"Kafka did not tell where its logs begin and end: {error!r}"
            ) from error
