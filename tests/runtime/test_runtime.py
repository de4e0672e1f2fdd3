"""The runtime on real servers, with a handler that copies: each record takes effect once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from structlog.testing import capture_logs

from tests.runtime.bench_of_lanes import Lanes, all_copied, all_there, both_own_lanes, values
from tests.runtime.copier import HUGE, POISON, UNWRITABLE, Copier
from tests.waiting import eventually
from workers.runtime import protocol
from workers.runtime.failures import TopologyError
from workers.runtime.groups import Groups
from workers.runtime.protocol import Group
from workers.runtime.runtime import Runtime
from workers.runtime.term import Term

pytestmark = pytest.mark.servers


async def all_published(lanes: Lanes, expected: list[bytes]) -> None:
    """The group's offsets reach the rows, and a reader sees each expected value once."""

    async def confirmed() -> bool:
        rows = await lanes.database.fetch("SELECT id, batch_no FROM lane WHERE kind = 'intake'")
        groups = await lanes.group()
        return all((groups[row["id"]].batch_no or 0) == row["batch_no"] for row in rows)

    await eventually(confirmed, "the group confirmed every batch")
    await all_there(lanes, expected)


async def test_every_record_is_stored_and_published_once(lanes: Lanes) -> None:
    await lanes.produce(values(0, 500))
    running = lanes.start(Copier())
    await all_copied(lanes, 500)
    await all_published(lanes, values(0, 500))
    await running.stop()
    rows = await lanes.database.fetch("SELECT owner FROM lane")
    assert {row["owner"] for row in rows} == {None}
    assert await lanes.database.fetchval("SELECT count(*) FROM pending") == 0


async def test_records_of_a_lane_are_published_in_their_order(lanes: Lanes) -> None:
    await lanes.produce(values(0, 300), partition=0)
    running = lanes.start(Copier())
    await all_copied(lanes, 300)
    await running.stop()
    by_key: dict[bytes, list[int]] = {}
    for value, headers in await lanes.published():
        by_key.setdefault(headers["ce_subject"], []).append(int(value.split(b"-")[1]))
    assert all(numbers == sorted(numbers) for numbers in by_key.values())


async def test_a_second_worker_gets_its_share_of_the_lanes_and_nothing_is_doubled(lanes: Lanes) -> None:
    first = lanes.start(Copier())
    await lanes.produce(values(0, 200))
    await all_copied(lanes, 200)
    handler = Copier()
    second = lanes.start(handler)
    await both_own_lanes(lanes)
    await lanes.produce(values(200, 400))
    await all_copied(lanes, 600)
    await all_published(lanes, values(0, 600))
    assert handler.handled > 0
    await second.stop()
    await lanes.produce(values(600, 100))
    await all_copied(lanes, 700)
    await all_published(lanes, values(0, 700))
    await first.stop()


async def test_a_worker_that_dies_between_storing_and_publishing_loses_and_doubles_nothing(
    lanes: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = asyncio.Event()
    publish = Term.publish

    async def never(*_: object) -> None:
        stored.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Term, "publish", never)
    first = lanes.start(Copier())
    await lanes.produce(values(0, 100))
    await asyncio.wait_for(stored.wait(), 90)
    await first.crash()
    assert await lanes.database.fetchval("SELECT count(*) FROM pending") > 0
    monkeypatch.setattr(Term, "publish", publish)
    second = lanes.start(Copier())
    await all_copied(lanes, 100)
    await all_published(lanes, values(0, 100))
    await second.stop()


async def test_row_locks_of_a_worker_that_froze_inside_its_transaction_do_not_hold_up_its_successor(
    lanes: Lanes,
) -> None:
    dead = lanes.start(Copier())
    await lanes.produce(values(0, 50))
    await all_copied(lanes, 50)
    await dead.crash()
    # As a frozen worker leaves it: its session lives and has the rows locked.
    frozen = await asyncpg.connect(lanes.settings.postgres.dsn.get_secret_value())
    await frozen.execute("BEGIN")
    await frozen.execute("UPDATE lane SET batch_no = batch_no + 1")
    successor = lanes.start(Copier())
    await lanes.produce(values(50, 50))
    await all_copied(lanes, 100)
    await all_published(lanes, values(0, 100))
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await frozen.execute("COMMIT")
    frozen.terminate()
    await successor.stop()


async def test_a_consumer_that_aiokafka_has_cancelled_is_replaced(lanes: Lanes) -> None:
    running = lanes.start(Copier())
    await lanes.produce(values(0, 100))
    await all_copied(lanes, 100)
    # What happens when the heartbeat leaves the group while the coordinator's task cancels it.
    coordination = running.runtime._source._consumer._coordinator._coordination_task
    coordination.cancel()
    await lanes.produce(values(100, 100))
    await all_copied(lanes, 200)
    await all_published(lanes, values(0, 200))
    assert running.runtime._source._consumer._coordinator._coordination_task is not coordination
    await running.stop()


async def test_the_term_that_was_fenced_can_neither_store_nor_publish(lanes: Lanes) -> None:
    running = lanes.start(Copier())
    await lanes.produce(values(0, 50))
    await all_copied(lanes, 50)
    usurper = await Term.begin("intake", lanes.topology, lanes.settings)
    owner = await lanes.database.fetchval("SELECT owner FROM lane WHERE owner IS NOT NULL LIMIT 1")
    await usurper.fence(owner)
    await lanes.database.execute("UPDATE lane SET owner = $1", usurper.id)
    await lanes.produce(values(50, 50))
    # It notices, begins a new term, fences the usurper in its turn and goes on.
    await all_copied(lanes, 100)
    await all_published(lanes, values(0, 100))
    await usurper.end()
    await running.stop()


@pytest.mark.parametrize("bad", [POISON, UNWRITABLE])
async def test_a_record_on_which_the_handler_fails_goes_to_deadletter_and_the_others_go_on(
    lanes: Lanes, bad: bytes
) -> None:
    running = lanes.start(Copier())
    await lanes.produce([*values(0, 50), bad, *values(50, 50)], partition=1)
    await all_copied(lanes, 100)
    await all_published(lanes, values(0, 100))
    [(value, headers)] = await lanes.published("deadletter")
    assert value == bad
    assert headers["deadletter_reason"] == b"handler_failed"
    assert headers["deadletter_offset"] == b"50"
    assert headers["deadletter_detail"].startswith(b"ValueError, at workers/")
    assert b"this record" not in headers["deadletter_detail"]
    await running.stop()


async def test_an_event_that_is_too_large_sends_its_cause_to_deadletter(lanes: Lanes) -> None:
    running = lanes.start(Copier())
    await lanes.produce([*values(0, 5), HUGE, *values(5, 5)], partition=1)
    await all_copied(lanes, 10)
    await all_published(lanes, values(0, 10))
    [(value, headers)] = await lanes.published("deadletter")
    assert (value, headers["deadletter_reason"]) == (HUGE, b"too_large")
    await running.stop()


async def test_too_many_failures_in_a_row_stop_the_lane_loudly_and_only_it(lanes: Lanes) -> None:
    running = lanes.start(Copier())
    await lanes.produce([POISON] * 30, partition=2)
    await lanes.produce(values(0, 20), partition=3)

    async def stopped() -> bool:
        return 2 in running.runtime.status.stopped

    await eventually(stopped, "lane 2 was stopped")
    assert any("lane 2 is stopped" in problem for problem in running.runtime.status.problems())
    await all_copied(lanes, 20)
    assert len(await lanes.published("deadletter")) == 19
    assert await lanes.database.fetchval("SELECT stopped FROM lane WHERE id = 2") is not None
    await running.stop()


async def test_an_offset_that_somebody_reset_stops_the_lane_instead_of_publishing_twice(
    lanes: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "STALE_READ_LIMIT_S", 1.0)
    running = lanes.start(Copier())
    await lanes.produce(values(0, 40), partition=0)
    await all_copied(lanes, 40)
    await running.stop()
    consumer = AIOKafkaConsumer(
        **lanes.settings.kafka.client_options(), group_id=f"{lanes.settings.kafka.topic_prefix}.intake"
    )
    await consumer.start()
    partition = TopicPartition(lanes.topology.full_name("inbound"), 0)
    consumer.assign([partition])
    await consumer.commit({partition: 5})
    await consumer.stop()
    again = lanes.start(Copier())

    async def stopped() -> bool:
        return 0 in again.runtime.status.stopped

    await eventually(stopped, "lane 0 was stopped")
    assert len(await lanes.published()) == 40
    await again.stop()


async def test_lanes_whose_offsets_the_broker_does_not_know_for_a_while_go_on_when_it_does(
    lanes: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "STALE_READ_USUAL_S", 0.0)
    first = lanes.start(Copier())
    await lanes.produce(values(0, 100))
    await all_copied(lanes, 100)
    await first.stop()
    read, looks = Groups.read, 0

    async def forgetful(groups: Groups, ids: Sequence[int]) -> dict[int, Group]:
        nonlocal looks
        looks += 1
        found = await read(groups, ids)
        return found if looks > 3 else {lane: Group(None, {}) for lane in found}

    monkeypatch.setattr(Groups, "read", forgetful)
    with capture_logs() as said:
        second = lanes.start(Copier())
        await lanes.produce(values(100, 50))
        await all_copied(lanes, 150)
    await all_published(lanes, values(0, 150))
    await second.stop()
    waited = [entry["log_level"] for entry in said if entry["event"] == "group_offset_awaited"]
    assert set(waited) == {"warning"}
    assert len(waited) >= 3


async def test_inputs_with_unequal_partition_counts_are_refused(lanes: Lanes) -> None:
    class Uneven(Copier):
        inputs: tuple[str, ...] = ("inbound", "commands")

    with pytest.raises(TopologyError, match="same number of partitions"):
        Runtime(Uneven(), lanes.topology, lanes.settings)
