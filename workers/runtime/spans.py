"""Reading stretches of partitions to their ends, for as long as it goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from time import monotonic

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from config.errors import TongdaiError

STANDSTILL_S = 300.0
"""Kafka ends within seconds what workers have left open (`TONGDAI_RUNTIME_TRANSACTION_TIMEOUT_MS`)."""
POLL_MS = 500

Span = tuple[int, int]
"""First offset, and the one behind the last."""
Spans = Mapping[TopicPartition, Span]
Tell = Callable[[int, int], None]
"""Is told how many offsets are read, and of how many."""


class StandstillError(TongdaiError):
    """A log could not be read on for minutes."""


async def read_spans(
    consumer: AIOKafkaConsumer, spans: Spans, tell: Tell | None = None
) -> AsyncIterator[dict[TopicPartition, Sequence[ConsumerRecord]]]:
    """The records of all spans, those of a partition in order; perhaps a few that lie behind them, too.

    A `read_committed` consumer waits for transactions that are open meanwhile, of whomever. Raises
    StandstillError when nothing moves for five minutes, KafkaError.
    """
    consumer.assign(list(spans))
    for partition, (start, _) in spans.items():
        consumer.seek(partition, start)
    left, moved_at = _total(spans), monotonic()
    while todo := [p for p, (_, end) in spans.items() if await consumer.position(p) < end]:
        # What is appended meanwhile is nobody's business here.
        consumer.pause(*(partition for partition in spans if partition not in todo))
        yield await consumer.getmany(timeout_ms=POLL_MS)
        still = sum([max(0, spans[partition][1] - await consumer.position(partition)) for partition in todo])
        if still < left:
            left, moved_at = still, monotonic()
        elif monotonic() - moved_at > STANDSTILL_S:
            raise StandstillError(_told(todo[0], await consumer.position(todo[0]), spans[todo[0]][1]))
        if tell is not None:
            tell(_total(spans) - left, _total(spans))


def _total(spans: Spans) -> int:
    return sum(end - start for start, end in spans.values())


def _told(partition: TopicPartition, position: int, end: int) -> str:
    return (
        f"partition {partition.partition} of {partition.topic} could not be read on from offset {position} "
        f"to {end} for {STANDSTILL_S:g} s: has a transaction there not ended?"
    )
