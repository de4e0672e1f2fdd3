"""What is begun before a batch is committed: its Kafka transaction, without a record, and the next fetch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, ProducerFenced
from aiokafka.producer.message_accumulator import BatchBuilder

from config.settings import Settings
from schemas.envelope import Kind
from tests.runtime.bench_of_lanes import Lanes as Ground
from tests.waiting import eventually
from workers.runtime.ahead import Ahead, Unhurried
from workers.runtime.batch import Batch, Event, Record, size_bytes
from workers.runtime.failures import TermEndedError
from workers.runtime.lanes import Lane, Lanes
from workers.runtime.producers import add_partition
from workers.runtime.protocol import Outcome
from workers.runtime.store import Store
from workers.runtime.term import PRODUCERS, GroupOffsets, Term
from workers.runtime.topology import MAX_BYTES, Topology

LANE = 3
OFFSETS: GroupOffsets = {0: (1, {"actions": 0, "inbound": 9})}
EVENT = Event("messages", 2, b"key", b"value", [("ce_id", b"1")])


class Told(Unhurried):
    """Tells what is begun and undone among what else is done."""

    def __init__(self, did: list[str]) -> None:
        self.did = did

    async def begin(self, events: Iterable[Event], offsets: GroupOffsets) -> None:
        self.did.append(f"begin {len(list(events))} events {dict(offsets)}")

    async def abort(self) -> None:
        self.did.append("abort")

    def read_on(self) -> None:
        self.did.append("read on")


class Bench:
    """A handler that fails on some values, a ledger and a session, which tell what they do."""

    kind = "intake"
    inputs = ("inbound",)

    def __init__(
        self,
        *poison: bytes,
        says_so: bool = True,
        fails_once: Exception | None = None,
        fails_unheard: bool = False,
    ) -> None:
        self.poison, self.says_so, self.fails_once = poison, says_so, fails_once
        self.fails_unheard = fails_unheard
        self.did: list[str] = []

    def is_closed(self) -> bool:
        return False

    async def begin(self, *_: object) -> bool:
        self.did.append("BEGIN")
        return True

    async def keep_pending(self, _: object, lanes: Sequence[Lane], *__: object) -> dict[int, int]:
        """Nothing is kept."""
        return {lane.id: lane.confirmed for lane in lanes}

    async def execute(self, statement: str) -> str:
        self.did.append(statement)
        return "ROLLBACK" if self.fails_unheard else statement

    def forget(self, _: object) -> None:
        """Nothing is kept."""

    async def handle(self, _: object, batch: Batch) -> None:
        for record, at_ms in zip(batch.records, batch.at_ms, strict=True):
            batch.emit(record, Kind("messages", "copied"), key=b"key", value=record.value, at_ms=at_ms)
        if self.says_so:
            await batch.emitted()
        self.did.append("write")
        if self.fails_once is not None:
            error, self.fails_once = self.fails_once, None
            raise error
        if any(record.value in self.poison for record in batch.records):
            raise ValueError("poison")

    async def store(self, *values: bytes) -> list[str]:
        """What is done when these are stored."""
        lanes = Lanes()
        lanes.hold(Lane(LANE, 7, {"inbound": 0}, 0, confirmed=7))
        records = [Record("inbound", LANE, n, 0, b"key", value, []) for n, value in enumerate(values)]
        me: Any = self
        store = Store(me, me, lanes, 20, {}, ahead=Told(self.did))
        await store.batch(me, "me", [(records, {LANE: {"inbound": len(records)}})])
        return self.did


BEGUN = "begin 2 events {3: (8, {'inbound': 2})}"


async def test_the_transaction_is_begun_before_the_handler_writes_and_the_fetch_before_the_commit() -> None:
    assert await Bench().store(b"a", b"b") == ["BEGIN", BEGUN, "write", "read on", "COMMIT"]


async def test_a_handler_that_does_not_say_when_all_is_emitted_has_it_begun_behind_its_writing() -> None:
    did = await Bench(says_so=False).store(b"a", b"b")
    assert did == ["BEGIN", "write", BEGUN, "read on", "COMMIT"]


async def test_what_was_begun_for_a_batch_that_is_rolled_back_is_undone_and_nothing_begun_for_its_parts() -> (
    None
):
    did = await Bench(b"bad").store(b"bad", b"good")
    assert did[:5] == ["BEGIN", BEGUN, "write", "ROLLBACK", "abort"]
    assert [each for each in did[5:] if each not in {"BEGIN", "write", "ROLLBACK", "COMMIT"}] == []
    assert did.count("COMMIT") == 2


async def test_what_was_begun_for_a_batch_that_lost_a_race_is_undone_before_it_is_tried_again() -> None:
    did = await Bench(fails_once=asyncpg.SerializationError()).store(b"a", b"b")
    assert did == ["BEGIN", BEGUN, "write", "ROLLBACK", "abort", "BEGIN", "write", "COMMIT"]


async def test_a_batch_that_postgres_did_not_commit_since_a_statement_had_failed_ends_the_term() -> None:
    bench = Bench(fails_unheard=True)
    with pytest.raises(TermEndedError, match="storing a batch: refused"):
        await bench.store(b"a", b"b")
    assert bench.did == ["BEGIN", BEGUN, "write", "read on", "COMMIT"]


class Before:
    """A batch that is being published, and a term that tells what is begun meanwhile."""

    def __init__(self) -> None:
        self.begun: list[GroupOffsets] = []
        self.lane = Lane(1, 4, {}, 0, confirmed=3)
        self.lanes = Lanes()
        self.lanes.hold(self.lane)
        self.answered = asyncio.Event()
        term: Any = self
        self.ahead = Ahead(term, term, self.lanes, asyncio.create_task(self._publish()))

    async def _publish(self) -> None:
        await self.answered.wait()
        self.lane.confirmed = 4

    async def begin_ahead(self, _: object, offsets: GroupOffsets) -> None:
        self.begun.append(offsets)

    async def abort(self) -> Outcome:
        return Outcome.OK

    async def roll_back(self) -> None:
        await self.ahead.abort()

    async def abandon(self) -> None:
        self.ahead.drop()

    async def begin(self) -> None:
        await self.ahead.begin([], OFFSETS)
        await self.turns()
        assert self.begun == []

    async def turns(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


async def test_it_is_begun_as_soon_as_the_batch_before_is_confirmed() -> None:
    before = Before()
    await before.begin()
    before.answered.set()
    await before.ahead.settle()
    assert before.begun == [OFFSETS]
    await before.ahead.settle()


async def test_it_is_not_begun_ahead_when_the_batch_itself_is_stored_first() -> None:
    before = Before()
    await before.begin()
    before.lane.batch_no = 5
    before.answered.set()
    await before.ahead.settle()
    assert before.begun == []


async def test_it_is_not_begun_when_publishing_the_batch_before_fails() -> None:
    before = Before()
    await before.begin()
    before.ahead.publishing.cancel()  # type: ignore[union-attr]
    await before.ahead.settle()
    assert before.begun == []


async def test_it_is_never_begun_when_its_batch_was_rolled_back_meanwhile_or_the_term_is_over() -> None:
    for how in (Before.roll_back, Before.abandon):
        before = Before()
        await before.begin()
        await how(before)
        before.answered.set()
        await before.ahead.settle()
        await before.turns()
        assert before.lane.confirmed == 4
        assert before.begun == []


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNKNOWN])
async def test_the_term_ends_when_it_is_not_known_that_what_was_begun_is_undone(outcome: Outcome) -> None:
    async def abort() -> Outcome:
        return outcome

    with pytest.raises(TermEndedError) as ended:
        await Ahead(None, SimpleNamespace(abort=abort), Lanes(), None).abort()  # type: ignore[arg-type]
    assert ended.value.fenced == (outcome is Outcome.REFUSED)


async def test_aiokafka_still_has_the_private_word_that_adds_a_partition_ahead() -> None:
    producer = AIOKafkaProducer(transactional_id="t")
    manager = producer._txn_manager
    manager.set_pid_and_epoch(1, 0)
    await producer.begin_transaction()
    add_partition(producer, TopicPartition("t", 0))
    assert manager.partitions_to_add() == {TopicPartition("t", 0)}
    manager.partition_added(TopicPartition("t", 0))
    add_partition(producer, TopicPartition("t", 0))
    assert manager.partitions_to_add() == set()
    await producer.stop()


class FencedMeanwhile:
    """A producer that is fenced while records are handed over to it."""

    def __init__(self, says: Exception) -> None:
        self.says, self.asked = says, asyncio.Event()

    async def begin_transaction(self) -> None:
        """It is not fenced yet."""

    async def send_offsets_to_transaction(self, *_: object) -> None:
        await self.asked.wait()
        raise ProducerFenced

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(1_000, 0, is_transactional=1)

    async def send_batch(self, *_: object, **__: object) -> None:
        self.asked.set()
        raise self.says


@pytest.mark.parametrize("says", [IllegalOperation("not while in a transaction"), AssertionError()])
async def test_a_fence_while_records_are_handed_over_is_told_as_a_fence(says: Exception) -> None:
    producer: Any = FencedMeanwhile(says)
    term = Term("t", "g", Topology("t", {"messages": 4}), Settings(), [producer] * PRODUCERS)
    assert await term.publish([EVENT], OFFSETS) is Outcome.REFUSED


@asynccontextmanager
async def term_of(ground: Ground) -> AsyncIterator[Term]:
    term = await Term.begin("intake", ground.topology, ground.settings)
    try:
        yield term
    finally:
        await term.end()


async def begin(term: Term) -> AIOKafkaProducer:
    """Begin a transaction ahead, to where Kafka has all of it but its records."""
    await term.begin_ahead([EVENT], OFFSETS)
    begun = term._ahead
    assert begun is not None
    await begun.told
    producer: AIOKafkaProducer = begun.producer
    assert producer._txn_manager.txn_partitions == {TopicPartition(term.topology.full_name("messages"), 2)}
    return producer


@pytest.mark.servers
async def test_nobody_sees_or_waits_for_a_transaction_that_is_begun_ahead_until_it_is_published(
    lanes: Ground,
) -> None:
    async with term_of(lanes) as term:
        await begin(term)
        await lanes.produce([b"behind it"], topic="messages", partition=2)
        assert await lanes.readable(1) == [b"behind it"]
        assert (await lanes.group())[0].batch_no is None
        assert await term.publish([EVENT], OFFSETS) is Outcome.OK
        assert await lanes.readable(2) == [b"behind it", b"value"]

        async def confirmed() -> bool:
            return (await lanes.group())[0].batch_no == 1

        await eventually(confirmed, "the group has the batch")


@pytest.mark.servers
async def test_kafka_takes_all_that_is_published_in_one_partition_at_once(lanes: Ground) -> None:
    largest = b"x" * (MAX_BYTES["messages"] - size_bytes(EVENT.key, b"", EVENT.headers))
    values = [*(b"%04d" % number * 15_000 for number in range(40)), largest, b"last"]
    async with term_of(lanes) as term:
        events = [EVENT._replace(value=value) for value in values]
        await term.begin_ahead(events, OFFSETS)
        assert await term.publish(events, OFFSETS) is Outcome.OK
    assert await lanes.readable(len(values)) == values


@pytest.mark.servers
async def test_what_is_undone_leaves_nothing_and_the_term_publishes_on(lanes: Ground) -> None:
    async with term_of(lanes) as term:
        for _ in range(4):  # with either producer, the one that undid among them
            await begin(term)
            assert await term.abort() is Outcome.OK
        assert await term.abort() is Outcome.OK
        for _ in range(2):
            assert await term.publish([], OFFSETS) is Outcome.OK
        assert await lanes.published() == []


@pytest.mark.servers
async def test_a_term_that_was_fenced_meanwhile_neither_publishes_nor_undoes(lanes: Ground) -> None:
    for fenced_does in (Term.abort, lambda term: term.publish([EVENT], OFFSETS)):
        async with term_of(lanes) as term, term_of(lanes) as other:
            await begin(term)
            await other.fence(term.id)
            assert await fenced_does(term) is Outcome.REFUSED
    async with term_of(lanes) as term, term_of(lanes) as other:
        await other.fence(term.id)
        await term.begin_ahead([EVENT], OFFSETS)
        assert await term.publish([EVENT], OFFSETS) is Outcome.REFUSED
    assert await lanes.published() == []
