"""The input side: a consumer of co-partitioned topics whose lanes are read only while they are held."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from config.settings import Settings
from workers.runtime.batch import Record
from workers.runtime.ending import end_consumer
from workers.runtime.failures import ConsumerCancelledError, DependencyDownError, SideTaskEndedError
from workers.runtime.metadata import read_metadata
from workers.runtime.pace import Pace
from workers.runtime.topology import Topology

log = structlog.get_logger(__name__)

FETCH_WAIT_MS = 50
"""How long a broker waits for records: a partition just drained waits for the long poll of the others."""

METADATA_MAX_AGE_MS = 10_000
"""A group whose topic was deleted has no lanes. That there is one again it learns from metadata alone."""

BACKLOG_PART = 8
"""A poll that brings this part of the largest batch found a backlog."""

MORE_S = 0.2
"""So long `more` waits: a broker answers a fetch after FETCH_WAIT_MS at the latest."""

OnRevoked = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Polled:
    """What one poll brought. `generation` tells whether the group was rebalanced since."""

    generation: int
    records: list[Record]
    expired: dict[int, str] = field(default_factory=dict)
    """Lanes whose next offset is no longer in the log, and which."""


class Source(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """A consumer in its group. Lanes are paused from their assignment until `read_from`."""

    def __init__(
        self,
        kind: str,
        inputs: Sequence[str],
        topology: Topology,
        settings: Settings,
        pace: Pace,
        on_revoked: OnRevoked,
    ) -> None:
        self.inputs = inputs
        self.generation = 0
        self.assigned: frozenset[int] = frozenset()
        self.joined = False
        self.failure: BaseException | None = None
        self._topology = topology
        self._rank = {topic: number for number, topic in enumerate(inputs)}
        self._on_revoked = on_revoked
        self._reading: set[TopicPartition] = set()
        """Partitions of held lanes."""
        self._max_records = settings.runtime.batch_max_records
        self._backlog_records = self._max_records // BACKLOG_PART
        self._pace = pace
        self._deadline_s = settings.runtime.kafka_deadline_s
        runtime = settings.runtime
        self._consumer = AIOKafkaConsumer(
            **settings.kafka.client_options(),
            group_id=f"{settings.kafka.topic_prefix}.{kind}",
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=runtime.session_timeout_ms,
            heartbeat_interval_ms=runtime.heartbeat_interval_ms,
            max_poll_interval_ms=runtime.max_poll_interval_ms,
            rebalance_timeout_ms=runtime.session_timeout_ms,
            fetch_max_bytes=runtime.batch_max_bytes,
            max_partition_fetch_bytes=runtime.batch_max_bytes // 4,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            retry_backoff_ms=50,
            metadata_max_age_ms=METADATA_MAX_AGE_MS,
        )

    async def start(self) -> None:
        """Join the group."""
        await self._consumer.start()
        self._consumer.subscribe([self._topology.full_name(topic) for topic in self.inputs], listener=self)

    async def stop(self) -> None:
        """Leave the group, without waiting for ever for a broker that is gone."""
        await end_consumer(self._consumer, self._deadline_s)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Let go of everything before the group is rebalanced. aiokafka swallows what is raised here."""
        self.generation += 1
        self.assigned = frozenset()
        self._reading.clear()
        try:
            await self._on_revoked()
        except Exception as error:  # noqa: BLE001  re-raised by the next poll
            self.failure = error

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take note; nothing is fetched before the lane is held. No `await` before the pauses."""
        partitions = list(assigned)
        for partition in partitions:
            # A position of our own, so that aiokafka does not look for the group's.
            self._consumer.seek(partition, 0)
            self._consumer.pause(partition)
        self.generation += 1
        self.joined = True
        self.assigned = frozenset(partition.partition for partition in partitions)
        self._check_co_partitioned(partitions)
        log.info("lanes_assigned", lanes=sorted(self.assigned))

    def _check_co_partitioned(self, partitions: Sequence[TopicPartition]) -> None:
        if len(partitions) != len(self.assigned) * len(self.inputs):
            self.failure = SideTaskEndedError(
                f"a lane lacks one of its partitions: {sorted(partitions)}; are all members of one version?"
            )

    async def poll(self, timeout_s: float, stopping: asyncio.Event) -> Polled:
        """The next records of lanes that are read, grouped by lane, in the order in which they take effect.

        Raises ConsumerCancelledError when aiokafka cancels itself, and whatever a rebalance failed with.
        """
        generation = self.generation
        polling = asyncio.create_task(self._fetch(int(timeout_s * 1000)))
        stop = asyncio.create_task(stopping.wait())
        await asyncio.wait((polling, stop), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not polling.done():
            polling.cancel()
            return Polled(generation, [])
        self._raise_failure()
        return self._polled(generation, polling)

    def read_on(self) -> None:
        """Ask for the next records of the lanes that are read, for the next poll to find them there.

        To be called when a batch is about to be committed, not sooner: aiokafka asks at once, gets the first
        few records and asks for no more before they are taken, so that all others wait for two batches. When
        the next batch is not due yet, its poll asks.
        """
        if self._pace.is_due:
            self._resume()

    def _resume(self) -> None:
        self._consumer.resume(*self._reading)

    async def _fetch(self, timeout_ms: int) -> dict[TopicPartition, list[ConsumerRecord]]:
        """What is there when a batch may begin. Only behind a backlog is the next fetch sent at once, see
        `read_on`."""
        await self._pace.due()
        generation = self.generation
        self._resume()
        fetched: dict[TopicPartition, list[ConsumerRecord]] = await self._consumer.getmany(
            timeout_ms=timeout_ms, max_records=self._max_records
        )
        # No `await` before the pauses: aiokafka has not gone on yet.
        count = sum(map(len, fetched.values()))
        if self.is_backlog(count):
            self._pace.hurry()
        elif count and generation == self.generation:
            self._pace.begin()
            self._consumer.pause(*self._reading)
        return fetched

    def is_backlog(self, count: int, *, of: int = 1) -> bool:
        """Whether a poll of one in `of` lanes that brought so many records found that more wait."""
        return count >= max(1, self._backlog_records // of)

    async def more(self, lanes: Collection[int]) -> list[Record]:
        """What is there now of some of the lanes that are read: half as much as a poll brings, or nothing.

        Never waits for a rebalance. What is wrong with the lanes' offsets the next poll tells. Raises what is
        wrong with the consumer.
        """
        partitions = [partition for partition in self._reading if partition.partition in lanes]
        if not partitions:
            return []  # aiokafka would take it for all
        self._resume()
        try:
            async with asyncio.timeout(MORE_S):
                fetched = await self._consumer.getmany(
                    *partitions, timeout_ms=FETCH_WAIT_MS, max_records=max(1, self._max_records // 2)
                )
        except (TimeoutError, OffsetOutOfRangeError):
            return []  # the next poll finds what is expired again
        return self._records(fetched)

    def _polled(
        self, generation: int, polling: asyncio.Task[dict[TopicPartition, list[ConsumerRecord]]]
    ) -> Polled:
        if polling.cancelled():
            raise ConsumerCancelledError("the consumer was cancelled by nobody")
        match polling.exception():
            case None:
                return Polled(generation, self._records(polling.result()))
            case OffsetOutOfRangeError() as error:
                return Polled(generation, [], _expired(error))
            case error:
                raise error

    def _raise_failure(self) -> None:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure

    def _records(self, fetched: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> list[Record]:
        """In the order of lanes, then of inputs, then of offsets."""
        by_lane = sorted(
            (
                (partition.partition, self._topology.short_name(partition.topic), records)
                for partition, records in fetched.items()
            ),
            key=lambda item: (item[0], self._rank[item[1]]),
        )
        return [
            Record(
                topic,
                lane,
                r.offset,
                r.timestamp,
                r.key or b"",
                r.value or b"",
                r.headers,
                r.key is None,
                r.value is None,
            )
            for lane, topic, records in by_lane
            for r in records
        ]

    async def beginnings(self, lanes: Sequence[int]) -> dict[int, dict[str, int]]:
        """The first offset of every input topic that is still in the log, by lane.

        Raises DependencyDownError.
        """
        partitions = [self._partition(topic, lane) for lane in lanes for topic in self.inputs]
        try:
            async with asyncio.timeout(self._deadline_s):
                offsets = await self._consumer.beginning_offsets(partitions)
        except (KafkaError, TimeoutError) as error:
            raise DependencyDownError(f"Kafka did not tell where its logs begin: {error!r}") from error
        return {
            lane: {topic: offsets[self._partition(topic, lane)] for topic in self.inputs} for lane in lanes
        }

    def read_from(self, lane: int, next_offsets: Mapping[str, int]) -> None:
        """Drop what was prefetched of this lane and read on from here."""
        for topic in self.inputs:
            partition = self._partition(topic, lane)
            self._consumer.seek(partition, next_offsets[topic])
            self._reading.add(partition)

    def pause(self, lanes: Iterable[int]) -> None:
        """Read no more of these lanes."""
        for lane in lanes:
            for topic in self.inputs:
                partition = self._partition(topic, lane)
                self._reading.discard(partition)
                if partition in self._consumer.assignment():
                    self._consumer.pause(partition)

    async def positions(self, lanes: Iterable[int]) -> dict[int, dict[str, int]]:
        """By lane, the next offset of each input. Behind the last record there may be transaction markers."""
        return {
            lane: {
                topic: await self._consumer.position(self._partition(topic, lane)) for topic in self.inputs
            }
            for lane in lanes
        }

    async def log_ids(self) -> dict[str, str]:
        """Kafka's ids of the input topics that there are now. Raises KafkaError, TimeoutError."""
        names = {self._topology.full_name(topic): topic for topic in self.inputs}
        async with asyncio.timeout(self._deadline_s):
            found = await read_metadata(self._consumer, list(names))
        return {names[name]: str(topic.id) for name, topic in found.items()}

    def ends(self, lane: int) -> dict[str, int]:
        """The end of each input as the last fetch told, as far as it was told."""
        ends = {
            topic: self._consumer.last_stable_offset(self._partition(topic, lane))
            for topic in self.inputs
            if self._partition(topic, lane) in self._consumer.assignment()
        }
        return {topic: end for topic, end in ends.items() if end is not None}

    def held_back(self, lane: int) -> dict[str, int]:
        """How much of each input lies behind a transaction that had not ended when the last fetch told."""
        return {
            topic: max(0, (self._consumer.highwater(self._partition(topic, lane)) or end) - end)
            for topic, end in self.ends(lane).items()
        }

    def _partition(self, topic: str, lane: int) -> TopicPartition:
        return TopicPartition(self._topology.full_name(topic), lane)


def _expired(error: OffsetOutOfRangeError) -> dict[int, str]:
    return {
        partition.partition: f"offset {offset} of {partition.topic} is not in the log any more"
        for partition, offset in error.args[0].items()
    }
