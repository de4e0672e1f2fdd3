"""A stopped lane comes back with `recover`: everything once for every reader, nothing lost."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from schemas.envelope import Kind
from tests.runtime import bench_of_lanes
from tests.runtime.bench_of_lanes import DEADLINE_S, Lanes, all_copied, values
from tests.runtime.copier import POISON, Copier
from tests.waiting import eventually
from workers.runtime import protocol
from workers.runtime.batch import Batch, Event, Record
from workers.runtime.identity import FORWARDED_FROM, LaneName, identity
from workers.runtime.ledger import Ledger
from workers.runtime.pending import pack
from workers.runtime.published import read_published
from workers.runtime.recovery import Failed, Recovered, Result, Running, recover, stopped_lanes
from workers.runtime.runtime import read_topology
from workers.runtime.topology import Topology

pytestmark = pytest.mark.servers


async def stopped(running: bench_of_lanes.Running, lane: int) -> None:
    async def is_stopped() -> bool:
        return lane in running.runtime.status.stopped

    await eventually(is_stopped, f"lane {lane} was stopped")


async def attempt(
    lanes: Lanes, *numbers: int, accept_loss: bool = False, topology: Topology | None = None
) -> list[Result]:
    """What `recover` says of these lanes."""
    names = [LaneName("intake", number) for number in numbers]
    own = topology or lanes.topology
    return await recover(lanes.settings, own, [Copier()], names, accept_loss=accept_loss)


async def recovered(lanes: Lanes, lane: int) -> tuple[int, int]:
    [done] = await attempt(lanes, lane)
    assert isinstance(done, Recovered), done
    return done.published, done.known_ahead


async def stop_by_hand(lanes: Lanes, *numbers: int) -> None:
    """As after whatever stopped them."""
    await lanes.database.execute("UPDATE lane SET stopped = 'by a test' WHERE id = ANY($1::int[])", numbers)


async def back_up(lanes: Lanes) -> asyncpg.Record:
    """The row of lane 0."""
    row = await lanes.database.fetchrow("SELECT * FROM lane WHERE kind = 'intake' AND id = 0")
    assert row is not None
    return row


async def publish(lanes: Lanes, events: list[Event]) -> None:
    """Put them on their topics."""
    producer = AIOKafkaProducer(**lanes.settings.kafka.client_options())
    await producer.start()
    try:
        for event in events:
            topic = lanes.topology.full_name(event.topic)
            await producer.send(topic, event.value, key=event.key, headers=[*event.headers])
    finally:
        await producer.stop()


async def restore(lanes: Lanes, backup: asyncpg.Record) -> None:
    """Lane 0 as it was then."""
    await lanes.database.execute(
        "UPDATE lane SET batch_no = $1, next_offsets = $2, at_ms = $3 WHERE kind = 'intake' AND id = 0",
        backup["batch_no"],
        backup["next_offsets"],
        backup["at_ms"],
    )


async def test_a_lane_stopped_by_a_failing_handler_goes_on_where_it_was(lanes: Lanes) -> None:
    running = lanes.start(Copier())
    await lanes.produce([*values(0, 5), *[POISON] * 25, *values(5, 5)], partition=2)
    await stopped(running, 2)
    [found] = await stopped_lanes(lanes.database)
    assert (found.kind, found.lane) == ("intake", 2)
    assert "ValueError" in found.reason
    assert (await recovered(lanes, 2))[0] == 0
    # The live worker notices by itself; the remaining six of poison do not stop the lane again.
    await all_copied(lanes, 10)
    await running.stop()
    assert sorted(await lanes.readable(10)) == sorted(values(0, 10))
    assert len(await lanes.readable(25, "deadletter")) == 25


async def test_reset_group_offsets_are_set_back_to_what_postgres_has(
    lanes: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "STALE_READ_LIMIT_S", 1.0)
    running = lanes.start(Copier())
    await lanes.produce(values(0, 40), partition=0)
    await all_copied(lanes, 40)
    await running.stop()
    group = f"{lanes.settings.kafka.topic_prefix}.intake"
    consumer = AIOKafkaConsumer(**lanes.settings.kafka.client_options(), group_id=group)
    await consumer.start()
    partition = TopicPartition(lanes.topology.full_name("inbound"), 0)
    consumer.assign([partition])
    await consumer.commit({partition: 5})
    await consumer.stop()
    again = lanes.start(Copier())
    await stopped(again, 0)
    await recovered(lanes, 0)
    await lanes.produce(values(40, 10), partition=0)
    await all_copied(lanes, 50)
    await again.stop()
    assert sorted(await lanes.readable(50)) == sorted(values(0, 50))


async def test_a_restored_postgres_derives_again_without_publishing_twice(lanes: Lanes) -> None:
    first = lanes.start(Copier())
    await lanes.produce(values(0, 30), partition=0)
    await all_copied(lanes, 30)
    await first.stop()
    backup = await back_up(lanes)
    second = lanes.start(Copier())
    await lanes.produce(values(30, 30), partition=0)
    await all_copied(lanes, 60)
    await second.stop()
    # Postgres as it was after the first thirty.
    await lanes.database.execute("DELETE FROM copied WHERE disk_offset >= 30")
    await restore(lanes, backup)
    third = lanes.start(Copier())
    await stopped(third, 0)
    _, known_ahead = await recovered(lanes, 0)
    assert known_ahead >= 30
    await lanes.produce(values(60, 10), partition=0)
    await all_copied(lanes, 70)
    await third.stop()
    assert sorted(await lanes.copied()) == sorted(values(0, 70))
    assert sorted(await lanes.readable(70)) == sorted(values(0, 70))


async def test_a_restored_postgres_reads_its_inputs_again_in_the_order_in_which_it_had_read_them(
    lanes: Lanes,
) -> None:
    first = lanes.start(Copier())
    await lanes.produce(values(0, 1), partition=0)
    await all_copied(lanes, 1)
    await first.stop()
    backup = await back_up(lanes)
    second = lanes.start(Copier())
    # Of several records that wait, those of actions would come first.
    for number, topic in enumerate(["inbound", "actions", "inbound", "inbound", "actions"], start=1):
        await lanes.produce(values(number, 1), topic=topic, partition=0)
        await all_copied(lanes, number + 1)
    await second.stop()
    await lanes.database.execute("DELETE FROM copied WHERE value <> $1", values(0, 1)[0])
    await restore(lanes, backup)
    third = lanes.start(Copier())
    await stopped(third, 0)
    await recovered(lanes, 0)
    assert await lanes.copied() == values(0, 6)
    await third.stop()
    assert sorted(await lanes.readable(6)) == values(0, 6)


async def test_a_topic_that_was_made_again_stops_the_lane_though_its_offsets_would_fit(lanes: Lanes) -> None:
    running = lanes.start(Copier())
    await lanes.produce(values(0, 5), partition=0)
    await all_copied(lanes, 5)
    await running.stop()
    await lanes.make_again("inbound")
    await lanes.produce(values(5, 20), partition=0)
    again = lanes.start(Copier())
    await stopped(again, 0)
    assert "inbound: deleted and made again" in again.runtime.status.stopped[0]
    topology = await read_topology(lanes.settings)
    [refused] = await attempt(lanes, 0, topology=topology)
    assert isinstance(refused, Failed)
    assert "--accept-loss" in refused.error
    [done] = await attempt(lanes, 0, topology=topology, accept_loss=True)
    assert isinstance(done, Recovered), done
    # Where portions ended on the former topic says nothing of this one.
    assert (done.repeated, done.skipped) == (0, {"inbound": 5})
    await all_copied(lanes, 25)
    await again.stop()
    assert sorted(await lanes.copied()) == sorted(values(0, 25))


async def test_a_log_that_lost_its_end_is_read_on_behind_what_is_left_and_other_lanes_do_not_wait_for_it(
    lanes: Lanes,
) -> None:
    running = lanes.start(Copier())
    await lanes.produce(values(0, 30), partition=0)
    for lane in (1, 2):
        await lanes.produce(values(100 * lane, 5), partition=lane)
    await all_copied(lanes, 40)
    await running.stop()
    # A power cut: Postgres and readers have what records 30 to 49 gave rise to, the log has lost them.
    phantoms = [Record("inbound", 0, offset, 1, b"key", b"lost", []) for offset in range(30, 50)]
    batch = Batch("intake", phantoms, [1] * 20, lanes.topology.ids)
    for phantom in phantoms:
        batch.emit(phantom, Kind("messages", "copied"), key=b"key", value=b"lost", at_ms=1)
    await publish(lanes, batch.events[0])
    ahead = [identity(event.topic, event.headers) for event in batch.events[0]]  # of a recovery before
    await Ledger("intake").keep_published_ahead(lanes.database, [0] * 20, ahead)
    await lanes.database.execute(
        """UPDATE lane SET next_offsets = next_offsets || '{"inbound": 50}' WHERE id = 0"""
    )
    await stop_by_hand(lanes, 0, 1)
    # Customers write on before anybody has looked: to the offsets of the lost ones, and beyond.
    await lanes.produce(values(30, 25), partition=0)
    refused, one, two, none = await attempt(lanes, 0, 1, 2, 99)
    assert isinstance(refused, Failed)
    assert "20 records of inbound" in refused.error
    assert "--accept-loss" in refused.error
    assert (type(one), type(two), type(none)) == (Recovered, Running, Failed)
    [found] = await stopped_lanes(lanes.database)
    assert (found.lane, found.reason) == (0, "by a test")
    # The same lanes again, safely.
    done, *others = await attempt(lanes, 0, 1, 2, accept_loss=True)
    assert isinstance(done, Recovered), done
    assert (done.skipped, done.repeated, done.known_ahead) == ({"inbound": 20}, 0, 0)
    assert others == [Running("intake", 1), Running("intake", 2)]
    again = lanes.start(Copier())
    await all_copied(lanes, 65)
    await again.stop()
    everything = sorted([*values(0, 55), *values(100, 5), *values(200, 5)])
    assert sorted(await lanes.copied()) == everything
    assert sorted(await lanes.readable(85)) == sorted([*everything, *[b"lost"] * 20])
    # Nor have the twenty that came to the offsets of lost ones their events' ids.
    assert len({headers["ce_id"] for _, headers in await lanes.published()}) == 85
    row = (await Ledger("intake").read(lanes.database, [0]))[0].row
    assert (set(row.log_ids), set(row.cuts)) == ({"actions", "inbound"}, {"inbound"})


class Mover(Copier):
    """Copies what is where its key belongs and sends the rest on."""

    def __init__(self, topology: Topology) -> None:
        super().__init__()
        self.topology = topology

    def _copy(self, batch: Batch, record: Record, at_ms: int) -> None:
        if self.topology.partition(record.topic, record.key) == record.lane:
            super()._copy(batch, record, at_ms)
        else:
            batch.forward(record)


async def test_what_was_sent_on_to_its_own_partition_is_not_sent_on_twice(lanes: Lanes) -> None:
    first = lanes.start(Mover(lanes.topology))
    await lanes.produce(values(0, 10), partition=0)
    await lanes.readable(10)
    await first.stop()
    backup = await back_up(lanes)
    second = lanes.start(Mover(lanes.topology))
    await lanes.produce(values(10, 10), partition=0)
    await lanes.readable(20)
    await second.stop()
    inbound = await lanes.published("inbound")
    sent_on = [Event("inbound", None, b"key", v, [*h.items()]) for v, h in inbound if FORWARDED_FROM in h]
    assert len(sent_on) == len(inbound) - 20 > 0

    # As after a crash between publishing them and knowing that they were published.
    await lanes.database.execute(
        "INSERT INTO pending SELECT kind, id, batch_no, next_offsets, $1 FROM lane WHERE id = 0",
        pack(sent_on),
    )
    await stop_by_hand(lanes, 0)
    assert (await recovered(lanes, 0))[0] == 0

    # Postgres as it was after the first ten.
    end = (await lanes.group())[0].offsets["inbound"]
    await restore(lanes, backup)
    await stop_by_hand(lanes, 0)
    assert (await recovered(lanes, 0))[1] >= len(sent_on)
    third = lanes.start(Mover(lanes.topology))

    async def derived_again() -> bool:
        return (await lanes.group())[0].offsets["inbound"] >= end

    await eventually(derived_again, "the second ten were read again")
    await third.stop()
    assert len(await lanes.published("inbound")) == len(inbound)


async def test_what_lies_behind_the_open_transaction_of_another_is_known_to_be_published(
    lanes: Lanes,
) -> None:
    name = lanes.topology.full_name("messages")
    foreign = AIOKafkaProducer(**lanes.settings.kafka.client_options(), transactional_id=f"{name} of another")
    await foreign.start()
    await foreign.begin_transaction()
    for partition in range(lanes.topology.partitions["messages"]):
        await foreign.send_and_wait(name, b"open", partition=partition)
    running = lanes.start(Copier())
    await lanes.produce(values(0, 10), partition=0)
    await all_copied(lanes, 10)

    async def published() -> bool:
        group = (await lanes.group())[0]
        return group.offsets.get("inbound", 0) >= 10

    await eventually(published, "the lane's transaction was committed")
    await running.stop()
    told: list[tuple[int, int]] = []

    async def read() -> int:
        found = read_published(
            lanes.settings,
            lanes.topology,
            {LaneName("intake", 0): 0},
            lambda done, total: told.append((done, total)),
        )
        return sum([len(portion) async for portion in found])

    reading = asyncio.create_task(read())
    await asyncio.wait([reading], timeout=1.5)
    assert not reading.done()
    await foreign.abort_transaction()
    await foreign.stop()
    assert await asyncio.wait_for(reading, DEADLINE_S) == 10
    assert told[0][0] < told[-1][0] == told[-1][1]
