"""A Kafka producer that can be given up: started and ended within deadlines, also when Kafka is gone.

aiokafka's own `send` and `stop` wait for ever on a broker that does not answer (aiokafka issue 1101).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from aiokafka.errors import UnknownTopicOrPartitionError

from config.kafka import KafkaSettings
from config.settings import Settings
from config.topics import DEADLETTER_EXTRA_BYTES, MAX_MESSAGE_BYTES
from workers.runtime.ending import end_producer
from workers.runtime.topology import hashed

RETRY_BACKOFF_MS = 100
BATCH_BYTES_MAX = 262_144
"""Of one partition while a request is under way. When aiokafka's 16 KiB are full, all who wait for room are
woken together, to wait again."""
RECORD_BYTES_MAX = MAX_MESSAGE_BYTES + DEADLETTER_EXTRA_BYTES
REQUEST_TIMEOUT_MS = 3_000
"""Shorter than the deadline of connecting: then aiokafka itself closes a connection that does not answer."""


async def start_producer(
    kafka: KafkaSettings, topics: Collection[str], deadline_s: float, record_bytes: int = RECORD_BYTES_MAX
) -> AIOKafkaProducer:
    """A connected producer, acks=all and idempotent, that knows `topics` (full names).

    It refuses what is larger than `record_bytes`.

    Raises KafkaError, also when a topic is missing, or TimeoutError; nothing of the attempt is left then.
    """
    producer = AIOKafkaProducer(
        **kafka.client_options() | {"request_timeout_ms": REQUEST_TIMEOUT_MS},
        acks="all",
        enable_idempotence=True,
        linger_ms=0,  # while a request is under way the next batch gathers by itself
        max_batch_size=BATCH_BYTES_MAX,
        partitioner=_partition,
        retry_backoff_ms=RETRY_BACKOFF_MS,
        max_request_size=record_bytes,
    )
    try:
        async with asyncio.timeout(deadline_s):
            await producer.start()
            await _check_made(producer, topics)
            for topic in topics:
                await producer.partitions_for(topic)
    except BaseException:
        await end_producer(producer, flush_s=0)
        raise
    return producer


@asynccontextmanager
async def open_producer(
    settings: Settings, topics: Collection[str], record_bytes: int = RECORD_BYTES_MAX
) -> AsyncIterator[AIOKafkaProducer]:
    """A producer as long as the block lasts; what it has not confirmed by then is given up.

    Raises what `start_producer` raises.
    """
    producer = await start_producer(settings.kafka, topics, settings.runtime.kafka_deadline_s, record_bytes)
    try:
        yield producer
    finally:
        await end_producer(producer, flush_s=0)


def _partition(key: bytes | None, every: Sequence[int], available: Sequence[int]) -> int:
    """aiokafka's own partitioner, which hashes a key anew for each record, in Python."""
    if key is None:
        return random.choice(available or every)  # noqa: S311 - no secret
    return every[hashed(key) % len(every)]


async def _check_made(producer: AIOKafkaProducer, topics: Collection[str]) -> None:
    """Before asking for a topic by name, which makes a cluster that permits it create one of its own kind."""
    missing = set(topics) - (await producer.client.fetch_all_metadata()).topics()
    if missing:
        raise UnknownTopicOrPartitionError(f"{', '.join(sorted(missing))}: run `tongdai topics apply`")
