"""A term: one life of a worker's two transactional producers, and the end of other terms' producers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError, ProducerFenced
from aiokafka.structs import OffsetAndMetadata

from config.settings import Settings
from workers.runtime.batch import Event
from workers.runtime.ending import end_producer
from workers.runtime.failures import TermEndedError, UnconfirmedError
from workers.runtime.log_clock import LogClock
from workers.runtime.producers import add_partition, send, start_producer
from workers.runtime.protocol import Outcome
from workers.runtime.topology import Topology

log = structlog.get_logger(__name__)

PRODUCERS = 2
"""Alternating: aiokafka waits 20 ms when a producer begins right after its last transaction."""
GroupOffsets = Mapping[int, tuple[int, Mapping[str, int]]]
"""By lane: its batch number, and the next offset of each input topic."""


class Begun(NamedTuple):
    """A transaction that is begun, and the answer to its offsets."""

    producer: AIOKafkaProducer
    offsets: GroupOffsets
    told: asyncio.Future[None]


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
    _ahead: Begun | None = None
    """The transaction of a batch that Postgres may not have yet: without a record."""

    @classmethod
    async def begin(cls, kind: str, topology: Topology, settings: Settings) -> Term:
        """A fresh term, its ids initialised once. Raises DependencyDownError when Kafka does not answer."""
        id_ = f"{settings.kafka.topic_prefix}.{kind}.{uuid4().hex}"
        producers: list[AIOKafkaProducer] = []
        try:
            for name in transactional_ids(id_):
                producers.append(await start_producer(name, settings))  # noqa: PERF401  those begun are stopped
        except BaseException:
            await asyncio.gather(*(end_producer(producer) for producer in producers))
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
            await end_producer(await start_producer(name, self.settings))
        self._fenced.add(owner)
        log.info("term_fenced", term=self.id, fenced=owner)

    async def publish(self, events: Iterable[Event], offsets: GroupOffsets) -> Outcome:
        """One Kafka transaction: `events` in order, and every input offset of these lanes."""
        return await self._outcome("publish", self._transaction(events, offsets))

    async def begin_ahead(self, events: Iterable[Event], offsets: GroupOffsets) -> None:
        """Begin the transaction of a batch that Postgres does not have yet: everything but its records.

        They are produced by `publish`, which is to be given the same offsets, or `abort` undoes it all; these
        tell what Kafka refused here, too. Raises TermEndedError when the producer cannot begin.
        """
        try:
            self._ahead = begun = await self._begin(offsets)
        except (KafkaError, IllegalOperation, AssertionError) as error:
            # aiokafka asserts that a producer is fit to begin.
            raise TermEndedError(f"beginning a transaction: {error!r}", fenced=False) from error
        for topic, partition in {self._place(event) for event in events}:
            add_partition(begun.producer, TopicPartition(self.topology.full_name(topic), partition))

    async def abort(self) -> Outcome:
        """Undo what was begun ahead, if anything was."""
        begun, self._ahead = self._ahead, None
        return Outcome.OK if begun is None else await self._outcome("abort", _undo(begun))

    async def _outcome(self, doing: str, work: Coroutine[Any, Any, None]) -> Outcome:
        try:
            async with asyncio.timeout(self.settings.runtime.kafka_deadline_s):
                await work
        except ProducerFenced as error:
            log.warning("transaction_fenced", term=self.id, doing=doing, error=error)
            return Outcome.REFUSED
        except (KafkaError, IllegalOperation, TimeoutError) as error:
            # IllegalOperation is no KafkaError: a fence in the middle leaves the producer outside of it.
            log.warning("transaction_outcome_unknown", term=self.id, doing=doing, error=error)
            return Outcome.UNKNOWN
        return Outcome.OK

    async def publish_surely(self, events: Iterable[Event], offsets: GroupOffsets) -> None:
        """The same, when there is nothing to be done but to end. Raises UnconfirmedError."""
        if await self.publish(events, offsets) is not Outcome.OK:
            raise UnconfirmedError("Kafka did not confirm the transaction; repeat")

    async def _begin(self, offsets: GroupOffsets) -> Begun:
        """With the other producer than the last time."""
        producer = self._producers[self._next]
        self._next = (self._next + 1) % PRODUCERS
        await producer.begin_transaction()
        return Begun(producer, offsets, asyncio.ensure_future(self._send_offsets(producer, offsets)))

    async def _transaction(self, events: Iterable[Event], offsets: GroupOffsets) -> None:
        begun, self._ahead = self._ahead or await self._begin(offsets), None
        if begun.offsets != offsets:
            raise AssertionError("the transaction was begun for another batch")
        if begun.told.done():
            begun.told.result()  # a fence meanwhile is told as what it is
        try:
            sent = await self._send_events(begun.producer, events)
        except (IllegalOperation, AssertionError) as error:
            # Of a fence meanwhile aiokafka only says here that there is no transaction; the offsets tell.
            await begun.told
            raise KafkaError(f"handing events over: {error!r}") from error
        confirmed = await asyncio.gather(begun.told, *sent, return_exceptions=True)
        _raise_first(confirmed)
        self.clock.hear(confirmed)
        await begun.producer.commit_transaction()

    async def _send_events(
        self, producer: AIOKafkaProducer, events: Iterable[Event]
    ) -> list[asyncio.Future[Any]]:
        """The futures of their confirmations."""
        sent = []
        for (topic, partition), list_ in self._by_partition(events).items():
            sent.extend(await send(producer, self.topology.full_name(topic), partition, list_))
        return sent

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
            grouped.setdefault(self._place(event), []).append(event)
        return grouped

    def _place(self, event: Event) -> tuple[str, int]:
        """Its topic and partition."""
        if event.partition is not None:
            return event.topic, event.partition
        return event.topic, self.topology.partition(event.topic, event.key)

    async def end(self) -> None:
        """Let the producers go. Their open transaction, if any, is ended by whoever takes the lanes."""
        if self._ahead is not None:
            self._ahead.told.cancel()
            await asyncio.gather(self._ahead.told, return_exceptions=True)
        await asyncio.gather(*(end_producer(producer) for producer in self._producers))
        log.info("term_ended", term=self.id)


def _raise_first(results: Iterable[object]) -> None:
    """Raise what went wrong, a fence before everything else."""
    errors = [result for result in results if isinstance(result, BaseException)]
    for error in sorted(errors, key=lambda error: not isinstance(error, ProducerFenced)):
        raise error


def transactional_ids(term: str) -> list[str]:
    """Always all of them, though only one may be in use."""
    return [f"{term}-{number}" for number in range(PRODUCERS)]


async def _undo(begun: Begun) -> None:
    await begun.told
    await begun.producer.abort_transaction()
