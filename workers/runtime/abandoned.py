"""A producer that is given up: aiokafka's own `stop()` waits for a broker that does not answer, for ever."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerClosed
from aiokafka.producer.message_accumulator import MessageAccumulator

STEP_S = 1.0


async def abandon(producer: AIOKafkaProducer) -> None:
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
