"""A Kafka producer that can be given up: started and ended within deadlines, also when Kafka is gone.

aiokafka's own `send` and `stop` wait for ever on a broker that does not answer (aiokafka issue 1101).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed

from config.kafka import KafkaSettings
from config.topics import DEADLETTER_EXTRA_BYTES, MAX_MESSAGE_BYTES

RETRY_BACKOFF_MS = 50
ABANDON_DEADLINE_S = 2.0


async def start_producer(kafka: KafkaSettings, topics: Sequence[str], deadline_s: float) -> AIOKafkaProducer:
    """A connected producer, acks=all and idempotent, that knows `topics` (full names).

    Raises KafkaError or TimeoutError; nothing of the attempt is left then.
    """
    producer = AIOKafkaProducer(
        **kafka.client_options(),
        acks="all",
        enable_idempotence=True,
        linger_ms=0,  # while a request is under way the next batch gathers by itself
        retry_backoff_ms=RETRY_BACKOFF_MS,
        max_request_size=MAX_MESSAGE_BYTES + DEADLETTER_EXTRA_BYTES,
    )
    try:
        async with asyncio.timeout(deadline_s):
            await producer.start()
            for topic in topics:
                await producer.partitions_for(topic)
    except BaseException:
        await end_producer(producer, flush_s=0)
        raise
    return producer


async def end_producer(producer: AIOKafkaProducer, flush_s: float) -> None:
    """Flush for at most `flush_s` seconds, then let go of whatever is left: its fate stays unknown."""
    try:
        async with asyncio.timeout(flush_s):
            await producer.stop()
    except (TimeoutError, KafkaError):
        await _abandon(producer)


async def _abandon(producer: AIOKafkaProducer) -> None:
    """End a producer whose `stop` does not return; aiokafka has no public way to do it."""
    sender = producer._sender.sender_task  # noqa: SLF001
    if sender is not None:
        sender.cancel()
    # Without connections the requests under way fail, so that the sender can end.
    closing = asyncio.ensure_future(producer.client.close())
    await asyncio.wait([task for task in (closing, sender) if task is not None], timeout=ABANDON_DEADLINE_S)
    accumulator = producer._message_accumulator  # noqa: SLF001
    # A batch that waits for another attempt is missing here, and aiokafka removes it from here when it fails.
    accumulator._pending_batches.update(*accumulator._batches.values())  # noqa: SLF001
    accumulator.fail_all(ProducerClosed())
