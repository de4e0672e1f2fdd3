"""Consumers without a group, which read topics whole as they are committed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from config.logging import get_logger
from config.settings import Settings
from workers.runtime.ending import end_consumer
from workers.runtime.postgres import DATABASE_ERRORS

DEADLINE_S = 15.0
"""For each of: to be connected, to have found one's place."""
PARTITION_BYTES = 1_048_576
"""Fetched ahead of each partition; a larger record comes alone. It is aiokafka's own bound."""
POLL_MS = 500
RECONNECT_S = 1.0

Take = Callable[[Sequence[Any]], Awaitable[None]]
"""Takes records of one partition, as aiokafka gives them, with bytes."""

_log = get_logger(__name__)


@asynccontextmanager
async def interrupted(name: str) -> AsyncIterator[None]:
    """What is begun again where it was: what goes wrong with Kafka or Postgres is told and waited for.

    The line in the log is `name` with `_interrupted`.
    """
    try:
        yield
    except (KafkaError, *DATABASE_ERRORS) as error:
        _log.warning(f"{name}_interrupted", error=error)
        await asyncio.sleep(RECONNECT_S)


async def reading_on(
    settings: Settings,
    client_id: str,
    topics: Sequence[str],
    positions: dict[TopicPartition, int],
    take: Take,
    on_begin: Callable[[], None],
    goes_on: Callable[[], bool] = lambda: True,
) -> None:
    """Read these topics from `positions` on, or from their ends when there are none yet.

    Args:
        positions: brought forward with what was taken.
        on_begin: called when everything from now on will be taken.
        goes_on: asked after each poll, whether something came or not.

    Raises KafkaError, TimeoutError and what `take` raises: the same call then goes on where it was.
    """
    async with consuming(settings, client_id) as consumer:
        positions |= await go_on(consumer, topics, positions)
        on_begin()
        while True:
            for partition, records in (await consumer.getmany(timeout_ms=POLL_MS)).items():
                await take(records)
                positions[partition] = records[-1].offset + 1
            if not goes_on():
                return


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
            await end_consumer(consumer)


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
        await end_consumer(consumer)
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
