"""Consumers without a group, which read topics whole as they are committed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from config.logging import get_logger
from config.settings import Settings
from workers.runtime.reader import stop_consumer

DEADLINE_S = 15.0
"""For each of: to be connected, to have found one's place."""
PARTITION_BYTES = 1_048_576
"""Fetched ahead of each partition; a larger record comes alone. It is aiokafka's own bound."""

_log = get_logger(__name__)


@asynccontextmanager
async def consuming(
    settings: Settings, client_id: str, *, partition_bytes: int = PARTITION_BYTES
) -> AsyncIterator[AIOKafkaConsumer]:
    """A connected consumer that sees what is committed, as long as the block lasts.

    Raises KafkaError, TimeoutError.
    """
    with asked_to_end():
        consumer = await start_consumer(settings, client_id, partition_bytes=partition_bytes)
        try:
            yield consumer
        finally:
            await stop_consumer(consumer)


async def start_consumer(
    settings: Settings, client_id: str, *, partition_bytes: int = PARTITION_BYTES
) -> AIOKafkaConsumer:
    """A connected consumer that sees what is committed. Raises KafkaError, TimeoutError."""
    consumer = AIOKafkaConsumer(
        **settings.kafka.client_options(),
        client_id=client_id,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        max_partition_fetch_bytes=partition_bytes,
        retry_backoff_ms=20,
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            await consumer.start()
    except BaseException:
        await stop_consumer(consumer)
        raise
    return consumer


async def partitions_of(consumer: AIOKafkaConsumer, *topics: str) -> list[TopicPartition]:
    """All partitions, topic by topic, in order. Raises KafkaError when a topic is missing."""
    cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001 - asking by name may create it
    found = {topic: cluster.partitions_for_topic(topic) for topic in topics}
    missing = [topic for topic, numbers in found.items() if not numbers]
    if missing:
        raise KafkaError(f"Kafka has no topic {missing[0]}: run tongdai topics apply")
    return [TopicPartition(topic, number) for topic, numbers in found.items() for number in sorted(numbers)]


async def go_on(
    consumer: AIOKafkaConsumer, topics: Sequence[str], positions: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Read these topics from here, or from their ends when nothing was read yet; return the offsets.

    Raises KafkaError, TimeoutError.
    """
    async with asyncio.timeout(DEADLINE_S):
        partitions = await partitions_of(consumer, *topics)
        consumer.assign(partitions)
        offsets = dict(positions) or dict(await consumer.end_offsets(partitions))
    for partition, offset in offsets.items():
        consumer.seek(partition, offset)
    return offsets


@contextmanager
def asked_to_end() -> Iterator[None]:
    """Let a cancellation pass only when somebody has cancelled this task, and not what it waits for.

    Clients of Kafka and Postgres are known to cancel their callers when a connection breaks; a task that
    takes it for its own end is missing from a process that goes on.

    Raises KafkaError for any other.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        _log.warning("cancelled_by_nobody", exc_info=True)
        raise KafkaError("what was waited for was cancelled by nobody") from error
