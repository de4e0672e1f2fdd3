"""A term: one life of a worker's two transactional producers, and the end of other terms' producers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError, ProducerFenced
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import OffsetAndMetadata

from config.settings import Settings
from workers.runtime.batch import Event
from workers.runtime.failures import DependencyDownError, UnconfirmedError
from workers.runtime.log_clock import LogClock
from workers.runtime.protocol import Outcome
from workers.runtime.topology import MAX_BYTES, Topology

log = structlog.get_logger(__name__)

PRODUCERS = 2
"""Alternating: aiokafka waits 20 ms when a producer begins right after its last transaction."""
BATCH_BYTES = 262_144
RETRY_BACKOFF_MS = 5
"""aiokafka's default of 100 ms made concurrent transactions nine times slower."""

GroupOffsets = Mapping[int, tuple[int, Mapping[str, int]]]
"""By lane: its batch number, and the next offset of each input topic."""


@dataclass(slots=True)
class Term:
    """Two producers whose ids nobody else will ever publish with."""

    id: str
    group: str
    topology: Topology
    settings: Settings
    _producers: list[AIOKafkaProducer]
    clock: LogClock = field(default_factory=LogClock)
    _next: int = 0
    _fenced: set[str] = field(default_factory=set)

    @classmethod
    async def begin(cls, kind: str, topology: Topology, settings: Settings) -> Term:
        """A fresh term, its ids initialised once. Raises DependencyDownError when Kafka does not answer."""
        id_ = f"{settings.kafka.topic_prefix}.{kind}.{uuid4().hex}"
        producers: list[AIOKafkaProducer] = []
        try:
            for name in transactional_ids(id_):
                producers.append(await _start_producer(name, settings))  # noqa: PERF401  those begun are stopped
        except BaseException:
            await asyncio.gather(*(_stop_producer(producer) for producer in producers))
            raise
        log.info("term_began", term=id_)
        return cls(id_, f"{settings.kafka.topic_prefix}.{kind}", topology, settings, producers)

    async def fence(self, owner: str) -> None:
        """End the producers of the term `owner`: Kafka refuses them from here on.

        Raises DependencyDownError when Kafka does not answer; then nothing is known.
        """
        if owner in self._fenced:
            return
        for name in transactional_ids(owner):
            await _stop_producer(await _start_producer(name, self.settings))
        self._fenced.add(owner)
        log.info("term_fenced", term=self.id, fenced=owner)

    async def publish(self, events: Iterable[Event], offsets: GroupOffsets) -> Outcome:
        """One Kafka transaction: `events` in order, and every input offset of these lanes."""
        producer = self._producers[self._next]
        self._next = (self._next + 1) % PRODUCERS
        try:
            async with asyncio.timeout(self.settings.runtime.kafka_deadline_s):
                await self._transaction(producer, events, offsets)
        except ProducerFenced as error:
            log.warning("publish_fenced", term=self.id, error=error)
            return Outcome.REFUSED
        except (KafkaError, IllegalOperation, TimeoutError) as error:
            # IllegalOperation is no KafkaError: a fence in the middle leaves the producer outside of it.
            log.warning("publish_outcome_unknown", term=self.id, error=error)
            return Outcome.UNKNOWN
        return Outcome.OK

    async def publish_surely(self, events: Iterable[Event], offsets: GroupOffsets) -> None:
        """The same, when there is nothing to be done but to end. Raises UnconfirmedError."""
        if await self.publish(events, offsets) is not Outcome.OK:
            raise UnconfirmedError("Kafka did not confirm the transaction; repeat")

    async def _transaction(
        self, producer: AIOKafkaProducer, events: Iterable[Event], offsets: GroupOffsets
    ) -> None:
        await producer.begin_transaction()
        sending: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._send_offsets(producer, offsets))]
        for (topic, partition), list_ in self._by_partition(events).items():
            sending.extend(await _send(producer, topic, partition, list_))
        confirmed = await asyncio.gather(*sending, return_exceptions=True)
        _raise_first(confirmed)
        self.clock.hear(confirmed)
        await producer.commit_transaction()

    async def _send_offsets(self, producer: AIOKafkaProducer, offsets: GroupOffsets) -> None:
        committed = {
            TopicPartition(self.topology.full_name(topic), lane): OffsetAndMetadata(offset, str(batch_no))
            for lane, (batch_no, by_topic) in offsets.items()
            for topic, offset in by_topic.items()
        }
        await producer.send_offsets_to_transaction(committed, self.group)

    def _by_partition(self, events: Iterable[Event]) -> dict[tuple[str, int], list[Event]]:
        grouped: dict[tuple[str, int], list[Event]] = {}
        for event in events:
            partition = event.partition
            if partition is None:
                partition = self.topology.partition(event.topic, event.key)
            grouped.setdefault((self.topology.full_name(event.topic), partition), []).append(event)
        return grouped

    async def end(self) -> None:
        """Let the producers go. Their open transaction, if any, is ended by whoever takes the lanes."""
        await asyncio.gather(*(_stop_producer(producer) for producer in self._producers))
        log.info("term_ended", term=self.id)


def _raise_first(results: Iterable[object]) -> None:
    """Raise what went wrong, a fence before everything else."""
    errors = [result for result in results if isinstance(result, BaseException)]
    for error in sorted(errors, key=lambda error: not isinstance(error, ProducerFenced)):
        raise error


def transactional_ids(term: str) -> list[str]:
    """Always all of them, though only one may be in use."""
    return [f"{term}-{number}" for number in range(PRODUCERS)]


async def _start_producer(transactional_id: str, settings: Settings) -> AIOKafkaProducer:
    """A producer whose id is initialised, which ends every other one with this id."""
    producer = AIOKafkaProducer(
        **settings.kafka.client_options(),
        transactional_id=transactional_id,
        transaction_timeout_ms=settings.runtime.transaction_timeout_ms,
        acks="all",
        enable_idempotence=True,
        retry_backoff_ms=RETRY_BACKOFF_MS,
        max_batch_size=BATCH_BYTES,
        max_request_size=2 * max(MAX_BYTES.values()),
        linger_ms=0,
    )
    try:
        async with asyncio.timeout(settings.runtime.kafka_deadline_s):
            await producer.start()
    except (KafkaError, TimeoutError, OSError, AssertionError) as error:
        # aiokafka asserts that a broker is known; of one that was just away Kafka may tell of none.
        await _stop_producer(producer)
        raise DependencyDownError(f"Kafka did not initialise {transactional_id}: {error!r}") from error
    return producer


async def _stop_producer(producer: AIOKafkaProducer) -> None:
    """Stop without waiting for ever: with the broker dead, aiokafka's `stop()` hangs."""
    try:
        async with asyncio.timeout(2):
            await producer.stop()
    except (KafkaError, TimeoutError, OSError) as error:
        log.debug("producer_abandoned", error=error)


async def _send(
    producer: AIOKafkaProducer, topic: str, partition: int, events: list[Event]
) -> list[asyncio.Future[Any]]:
    """Hand the events over as ready-made record batches: a third of the cost of `send()`."""
    sent = []
    builder = producer.create_batch()
    for event in events:
        if _append(builder, event):
            continue
        sent.append(await producer.send_batch(builder, topic, partition=partition))
        builder = producer.create_batch()
        _append(builder, event)
    builder.close()
    sent.append(await producer.send_batch(builder, topic, partition=partition))
    return sent


def _append(builder: BatchBuilder, event: Event) -> bool:
    key = None if event.no_key else event.key
    value = None if event.no_value else event.value
    metadata = builder.append(timestamp=None, key=key, value=value, headers=event.headers)
    return metadata is not None
