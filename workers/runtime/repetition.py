"""Reading a lane's inputs again, in the portions in which they were read before Postgres was restored."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition

from config.errors import TongdaiError
from config.settings import Settings
from workers.runtime.batch import Record
from workers.runtime.handler import Connection, Handler
from workers.runtime.lanes import Lane, Lanes
from workers.runtime.ledger import Ledger
from workers.runtime.patience import Patience
from workers.runtime.portions import behind
from workers.runtime.reader import open_reader
from workers.runtime.store import Store
from workers.runtime.term import Term
from workers.runtime.topology import Topology

PORTION_DEADLINE_S = 60.0
POLL_MS = 500
POLL_RECORDS = 2_000


class RepetitionError(TongdaiError):
    """What was done once could not be done again; everything before it is done."""


@dataclass(slots=True)
class Repetition:
    """Does again what a lane has done, on a row that is mine; what readers have is not published again."""

    handler: Handler
    topology: Topology
    settings: Settings
    term: Term
    lane: Lane
    _read: dict[str, deque[Record]] = field(default_factory=dict)

    async def run(self, connection: Connection, portions: Sequence[Mapping[str, int]]) -> int:
        """Do all portions; how many records that were.

        Raises RepetitionError, UnconfirmedError, TermEndedError, DependencyDownError, KafkaError,
        TimeoutError.
        """
        if not portions:
            return 0
        async with open_reader(self.settings) as consumer:
            self._seek(consumer)
            return sum([await self._repeat(connection, consumer, dict(ends)) for ends in portions])

    def _seek(self, consumer: AIOKafkaConsumer) -> None:
        parts = {topic: self._partition(topic) for topic in self.handler.inputs}
        consumer.assign(list(parts.values()))
        for topic, part in parts.items():
            consumer.seek(part, self.lane.next_offsets[topic])
            self._read[topic] = deque()

    async def _repeat(self, connection: Connection, consumer: AIOKafkaConsumer, ends: dict[str, int]) -> int:
        """One portion, in transactions of its own."""
        async with asyncio.timeout(PORTION_DEADLINE_S):
            await self._read_to(consumer, ends)
        records = [
            self._read[topic].popleft()
            for topic in self.handler.inputs
            for _ in range(sum(record.offset < ends[topic] for record in self._read[topic]))
        ]
        await self._store(connection, records, ends)
        return len(records)

    async def _store(self, connection: Connection, records: Sequence[Record], ends: dict[str, int]) -> None:
        """At once or, when that takes too long, in parts."""
        lanes, patience = Lanes(), Patience()
        lanes.hold(self.lane)
        limit = self.settings.runtime.exceptions_in_a_row_limit
        ledger = Ledger(self.handler.kind)
        store = Store(self.handler, ledger, lanes, limit, self.topology.ids, patience)
        while self.lane.next_offsets != ends:
            left = [record for record in records if record.offset >= self.lane.next_offsets[record.topic]]
            _, suspects = patience.bearable(left, lanes)
            part = (suspects, behind(suspects, lanes)) if suspects else (left, {self.lane.id: ends})
            stored = await store.batch(connection, self.term.id, [part])
            if stored.lanes:
                await self.term.publish_surely(stored.events, stored.lanes)
            self.lane.confirmed = self.lane.batch_no
            if stored.failed is not None:
                raise RepetitionError(f"the handler raised too often in a row: {stored.failed}")

    async def _read_to(self, consumer: AIOKafkaConsumer, ends: Mapping[str, int]) -> None:
        """Have all records below `ends`; of each input hardly more than that."""
        parts = {self._partition(topic): end for topic, end in ends.items()}
        while wanted := [part for part, end in parts.items() if await consumer.position(part) < end]:
            consumer.pause(*parts)
            consumer.resume(*wanted)
            found = await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)
            for part, records in found.items():
                topic, lane = self.topology.short_name(part.topic), part.partition
                self._read[topic].extend(
                    Record(topic, lane, r.offset, r.timestamp, r.key or b"", r.value or b"", r.headers)
                    for r in records
                )

    def _partition(self, topic: str) -> TopicPartition:
        return TopicPartition(self.topology.full_name(topic), self.lane.id)
