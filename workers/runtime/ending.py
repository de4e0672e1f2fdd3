"""How a client of Kafka ends: aiokafka's own `stop()` waits for ever on a broker that does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed
from aiokafka.producer.message_accumulator import MessageAccumulator

FLUSH_S = 2.0
STOP_S = 5.0
STEP_S = 1.0

log = structlog.get_logger(__name__)


async def end_producer(producer: AIOKafkaProducer, flush_s: float = FLUSH_S) -> None:
    """Flush for at most `flush_s` seconds, then let go of whatever is left: its fate stays unknown."""
    try:
        async with asyncio.timeout(flush_s):
            await producer.stop()
    except (KafkaError, TimeoutError, OSError) as error:
        log.debug("producer_abandoned", error=error)
        await _abandon(producer)
    except asyncio.CancelledError:
        await _abandon(producer)
        raise


async def end_consumer(consumer: AIOKafkaConsumer, deadline_s: float | None = None) -> None:
    """Leave the group, if it has one, within `deadline_s` seconds (`STOP_S`), and let go of its connections.

    Raises nothing but CancelledError, and that only when its caller was cancelled: one that waits before it
    fetches again cancels whoever stops it.
    """
    if not await _ends(consumer.stop(), STOP_S if deadline_s is None else deadline_s):
        log.debug("consumer_abandoned")
        await _ends(consumer._client.close(), STEP_S)  # noqa: SLF001 - there is no public way


async def _ends(ending: Coroutine[None, None, None], deadline_s: float) -> bool:
    """Whether it comes to its end by itself within `deadline_s` seconds; it cancels nobody else."""
    task = asyncio.create_task(ending)
    try:
        await asyncio.wait((task,), timeout=deadline_s)
    finally:
        task.cancel()
    return task.done() and not task.cancelled() and task.exception() is None


async def _abandon(producer: AIOKafkaProducer) -> None:
    """End a producer whose `stop` does not return; aiokafka has no public way to do it.

    Else its connections stay, and a broker that wakes up is sent what nobody wants to be sent any more.
    """
    sender = producer._sender.sender_task  # noqa: SLF001
    ending = [asyncio.ensure_future(producer.client.close())]
    if sender is not None:
        ending.append(sender)
    # Told once, the sender waits for its requests, which fail by now; told again, it leaves them.
    for _ in range(2):
        if sender is not None:
            sender.cancel()
        await asyncio.wait(ending, timeout=STEP_S)
    _fail_batches(producer._message_accumulator)  # noqa: SLF001


def _fail_batches(accumulator: MessageAccumulator) -> None:
    """Fail all that was not confirmed, so that nobody waits for it."""
    # A batch that waits for another attempt is missing here, and aiokafka removes it from here when it fails.
    unconfirmed = accumulator._pending_batches  # noqa: SLF001
    unconfirmed.update(*accumulator._batches.values())  # noqa: SLF001
    batches = list(unconfirmed)
    accumulator.fail_all(ProducerClosed())
    for batch in batches:
        batch._drain_waiter.exception()  # noqa: SLF001 - else asyncio complains that nobody has looked
