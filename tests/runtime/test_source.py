"""What a poll brings, on a real Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer

from tests.runtime.bench_of_lanes import Lanes
from tests.waiting import eventually
from workers.runtime.pace import Pace
from workers.runtime.source import Source

pytestmark = pytest.mark.servers

INPUTS = ("actions", "inbound")


@asynccontextmanager
async def reading(lanes: Lanes, pace: Pace | None = None, **limits: int) -> AsyncIterator[Source]:
    """A source that reads all lanes from their beginning, at once unless `pace` says when."""

    async def nothing_to_release() -> None:
        return

    async def assigned() -> bool:
        return bool(source.assigned)

    runtime = lanes.settings.runtime.model_copy(update=limits)
    settings = lanes.settings.model_copy(update={"runtime": runtime})
    source = Source("intake", INPUTS, lanes.topology, settings, pace or Pace(0.0), nothing_to_release)
    await source.start()
    try:
        await eventually(assigned, "the source has lanes")
        for lane in source.assigned:
            source.read_from(lane, dict.fromkeys(INPUTS, 0))
        yield source
    finally:
        await source.stop()


async def poll(source: Source) -> list[bytes]:
    """The values of the next records; fails when none come."""
    polled = await source.poll(10.0, asyncio.Event())
    return [record.value for record in polled.records]


async def test_all_that_comes_while_a_batch_is_stored_comes_with_the_next_poll(lanes: Lanes) -> None:
    async with reading(lanes) as source:
        await lanes.produce([b"first"], partition=0)
        assert await poll(source) == [b"first"]

        for value in (b"second", b"third", b"fourth"):
            await lanes.produce([value], partition=0)
        assert await poll(source) == [b"second", b"third", b"fourth"]


class Told(Pace):
    """The interval behind the first batch ends when it is told."""

    def __init__(self) -> None:
        super().__init__(0.0)
        self.ended = asyncio.Event()
        self.ended.set()

    def begin(self) -> None:
        self.ended.clear()

    @property
    def is_due(self) -> bool:
        return self.ended.is_set()

    async def due(self) -> None:
        await self.ended.wait()


async def test_what_comes_within_the_interval_shares_the_next_batch(lanes: Lanes) -> None:
    pace = Told()
    async with reading(lanes, pace) as source:
        await lanes.produce([b"first"], partition=0)
        assert await poll(source) == [b"first"]
        await lanes.produce([b"second"], partition=0)
        source.read_on()
        polling = asyncio.create_task(poll(source))
        await lanes.produce([b"third"], partition=0)
        pace.ended.set()
        assert await polling == [b"second", b"third"]


async def test_behind_a_backlog_nothing_waits_for_the_interval(lanes: Lanes) -> None:
    async with reading(lanes, Pace(3_600.0), batch_max_records=8) as source:
        await lanes.produce([b"first"], partition=0)
        assert await poll(source) == [b"first"]
        await lanes.produce([b"second"], partition=0)
        assert await poll(source) == [b"second"]


async def test_a_poll_without_records_found_no_backlog_however_small_batches_are(lanes: Lanes) -> None:
    async with reading(lanes, batch_max_records=1) as source:
        assert not source.is_backlog(0, of=2)
        assert source.is_backlog(1, of=2)


async def prefetched(source: Source, lane: int, end: int) -> None:
    """Wait until what was asked for ahead has come, up to this end of the lane's inbound."""

    async def there() -> bool:
        return source.ends(lane)["inbound"] == end

    await eventually(there, f"lane {lane} is read to {end}")


async def poll_first_and_prefetch_second(lanes: Lanes, source: Source) -> None:
    """One record of lane 0 is polled, and the next one was asked for ahead."""
    await lanes.produce([b"first"], partition=0)
    assert await poll(source) == [b"first"]
    await lanes.produce([b"second"], partition=0)
    source.read_on()
    await prefetched(source, 0, 2)


async def test_what_is_asked_for_ahead_is_there_for_the_next_poll_and_nothing_behind_it(lanes: Lanes) -> None:
    async with reading(lanes) as source:
        await poll_first_and_prefetch_second(lanes, source)
        await lanes.produce([b"third"], partition=0)
        assert await poll(source) == [b"second"]
        assert await source.positions([0]) == {0: {"actions": 0, "inbound": 2}}
        assert await poll(source) == [b"third"]


async def test_what_was_asked_for_ahead_of_a_lane_that_stops_or_is_read_again_is_dropped(
    lanes: Lanes,
) -> None:
    async with reading(lanes) as source:
        await lanes.produce([b"first"], partition=0)
        assert await poll(source) == [b"first"]
        await lanes.produce([b"second"], partition=0)
        await lanes.produce([b"elsewhere"], partition=1)
        source.read_on()
        await prefetched(source, 0, 2)
        await prefetched(source, 1, 1)
        source.pause([0])
        assert await poll(source) == [b"elsewhere"]
        source.read_from(0, {"actions": 0, "inbound": 0})
        assert await poll(source) == [b"first", b"second"]


async def test_what_was_asked_for_ahead_is_dropped_when_the_group_is_rebalanced(lanes: Lanes) -> None:
    async with reading(lanes) as source:
        await poll_first_and_prefetch_second(lanes, source)
        generation = source.generation
        async with reading(lanes):
            # Of this lane or not, none is read before it is held again.
            assert (await source.poll(1.0, asyncio.Event())).records == []
            assert source.generation > generation
            source.read_on()
            assert (await source.poll(0.2, asyncio.Event())).records == []


async def test_a_stopped_lane_is_not_read_on_by_later_polls(lanes: Lanes) -> None:
    async with reading(lanes) as source:
        source.pause([0])
        await lanes.produce([b"of the stopped lane"], partition=0)
        await lanes.produce([b"first"], partition=1)
        assert await poll(source) == [b"first"]
        await lanes.produce([b"second"], partition=1)
        assert await poll(source) == [b"second"]


async def test_records_behind_an_open_transaction_are_held_back(lanes: Lanes) -> None:
    async with reading(lanes) as source:
        open_one = AIOKafkaProducer(
            **lanes.settings.kafka.client_options(), transactional_id=lanes.settings.kafka.topic_prefix
        )
        await open_one.start()
        await open_one.begin_transaction()
        await open_one.send_and_wait(lanes.topology.full_name("inbound"), b"unended", partition=0)
        await lanes.produce([b"behind it"], partition=0)
        await lanes.produce([b"elsewhere"], partition=1)
        assert await poll(source) == [b"elsewhere"]

        async def told() -> bool:
            await source.poll(0.1, asyncio.Event())
            return source.held_back(0).get("inbound") == 2

        await eventually(told, "the records of lane 0 are held back")
        assert source.held_back(1)["inbound"] == 0
        await open_one.abort_transaction()
        await open_one.stop()
        assert await poll(source) == [b"behind it"]
