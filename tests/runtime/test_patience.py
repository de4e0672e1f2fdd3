"""One record whose statements take too long is found, and nobody else is blamed or waits for ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runtime import bench_of_lanes
from tests.runtime.bench_of_lanes import all_copied, values
from tests.runtime.copier import Copier
from tests.waiting import eventually
from workers.runtime.batch import Batch, Record
from workers.runtime.handler import Connection
from workers.runtime.lanes import Lane, Lanes
from workers.runtime.metrics import TERMS
from workers.runtime.patience import Patience
from workers.runtime.portions import Stored, behind
from workers.runtime.store import Store

STEPS_MAX = 200
LOCKED, SLOW = b"locked", b"slow"


class Session:
    """One that does all that it is told."""

    def is_closed(self) -> bool:
        return False

    async def execute(self, statement: str) -> str:
        return statement


class Ledger:
    """Every lane is mine."""

    async def begin(self, *_: object) -> bool:
        return True

    async def keep_pending(self, _: object, lanes: Sequence[Lane], *__: object) -> dict[int, int]:
        """Nothing is kept."""
        return {lane.id: lane.confirmed for lane in lanes}


class Slow:
    """A handler whose statements take too long as soon as one of these values is among them."""

    kind = "intake"
    inputs = ("inbound",)

    def __init__(self, slow: Iterable[int], bad_moments: int = 0) -> None:
        self.slow, self.bad_moments = set(slow), bad_moments
        self.late = 0

    async def handle(self, _: object, batch: Batch) -> None:
        if self.bad_moments or self.slow & {int(record.value) for record in batch.records}:
            self.bad_moments = max(0, self.bad_moments - 1)
            self.late += 1
            raise asyncpg.QueryCanceledError("canceling statement due to statement timeout")

    def forget(self, _: object) -> None:
        """Nothing is kept."""


class Bench:
    """Lanes of inbound, read round by round as the loop does: all that is there, then what is left of it."""

    def __init__(self, handler: Slow, counts: Sequence[int]) -> None:
        self.handler = handler
        self.lanes, self.patience = Lanes(), Patience()
        self.records: list[Record] = []
        for lane, count in enumerate(counts):
            self.lanes.hold(Lane(lane, 0, {"inbound": 0}, 0, confirmed=0))
            for offset in range(count):
                value = b"%d" % len(self.records)
                self.records.append(Record("inbound", lane, offset, 1_000 + offset, b"key", value, []))
        ledger: Any = Ledger()
        plugged: Any = handler
        self.store = Store(plugged, ledger, self.lanes, 20, {}, self.patience)
        self.refused: list[int] = []

    def left(self) -> list[Record]:
        return [each for each in self.records if each.offset >= self.lanes[each.lane].next_offsets["inbound"]]

    async def step(self) -> Stored:
        others, suspects = self.patience.bearable(self.left(), self.lanes)
        connection: Any = Session()
        parts = [(part, behind(part, self.lanes)) for part in (others, suspects) if part]
        stored = await self.store.batch(connection, "me", parts)
        letters = [event for event in stored.events if event.topic == "deadletter"]
        self.refused += [int(event.value) for event in letters]
        return stored

    async def run(self) -> None:
        for _ in range(STEPS_MAX):
            if not self.left():
                return
            await self.step()
        raise AssertionError(f"left for ever: {[each.value for each in self.left()]}")


async def test_a_server_that_had_a_bad_moment_is_asked_the_same_again_and_nobody_is_blamed() -> None:
    bench = Bench(Slow([], bad_moments=1), [500])
    assert (await bench.step()).is_late
    await bench.step()
    assert (bench.left(), bench.refused, bench.handler.late) == ([], [], 1)


async def test_the_one_record_that_takes_too_long_is_found_in_some_steps() -> None:
    for culprit in (0, 250, 499):
        bench = Bench(Slow([culprit]), [500])
        await bench.run()
        assert bench.refused == [culprit]
        assert bench.handler.late <= 14


async def test_a_record_alone_gets_a_second_chance() -> None:
    bench = Bench(Slow([], bad_moments=1), [1])
    await bench.run()
    assert bench.refused == []
    bench = Bench(Slow([0]), [1])
    assert (await bench.step()).is_late
    assert not (await bench.step()).is_late
    assert bench.refused == [0]


async def test_lanes_that_no_suspect_is_in_go_on_meanwhile() -> None:
    bench = Bench(Slow([0]), [4, 4])
    await bench.step()  # all, and it is nobody's fault yet
    await bench.step()
    first = [record for record in bench.left() if record.lane == 1]
    assert first
    while {record.lane for record in bench.left()} == {0, 1}:
        await bench.step()
    assert [record for record in bench.left() if record.lane == 0]
    assert bench.refused == []
    await bench.run()
    assert bench.refused == [0]


async def test_a_lane_that_is_taken_away_is_under_no_suspicion_when_it_comes_back() -> None:
    bench = Bench(Slow([0]), [4])
    await bench.step()
    bench.lanes[0].next_offsets = {"inbound": 4}  # another has stored them meanwhile
    bench.records.append(Record("inbound", 0, 4, 1_000, b"key", b"4", []))
    await bench.step()
    assert bench.left() == []


async def test_who_waits_for_the_lock_of_another_is_not_blamed_but_begins_anew() -> None:
    bench = Bench(Slow([]), [1])

    async def handle(*_: object) -> None:
        raise asyncpg.LockNotAvailableError("canceling statement due to lock timeout")

    bench.handler.handle = handle  # type: ignore[method-assign,assignment]
    for _ in range(5):
        try:
            await bench.step()
        except asyncpg.LockNotAvailableError:
            continue
        raise AssertionError("the term was to end")
    assert bench.refused == []


async def test_a_refused_record_moves_its_lanes_clock_as_it_has_been_read() -> None:
    bench = Bench(Slow([3]), [4])
    await bench.run()
    assert bench.refused == [3]
    assert bench.lanes[0].at_ms == bench.records[-1].timestamp_ms


class Sleeper(Copier):
    """Waits for a lock at one value, and for itself at another."""

    async def handle(self, connection: Connection, batch: Batch) -> None:
        said = {record.value for record in batch.records}
        if LOCKED in said:
            await connection.execute("SELECT * FROM copied WHERE lane = -1 FOR UPDATE")
        if SLOW in said:
            await connection.execute("SELECT pg_sleep(60)")
        await super().handle(connection, batch)


@pytest.mark.servers
async def test_postgres_tells_who_takes_long_from_who_waits_for_a_lock(lanes: bench_of_lanes.Lanes) -> None:
    await lanes.database.execute("INSERT INTO copied VALUES ('inbound', -1, 0, '')")
    postgres = lanes.settings.postgres.model_copy(update={"command_timeout_s": 1.0})
    running = lanes.start(Sleeper(), lanes.settings.model_copy(update={"postgres": postgres}))
    terms = TERMS.labels("intake")
    begun = terms._value.get()
    async with lanes.database.transaction():
        await lanes.database.execute("SELECT * FROM copied WHERE lane = -1 FOR UPDATE")
        await lanes.produce([*values(0, 4), LOCKED, *values(4, 4)], partition=0)

        async def began_anew() -> bool:
            return bool(terms._value.get() >= begun + 4)

        await eventually(began_anew, "terms ended while it waited")
    await all_copied(lanes, 10)
    await lanes.produce([*values(8, 4), SLOW, *values(12, 4)], partition=0)
    await all_copied(lanes, 18)
    await running.stop()
    assert await lanes.readable(1, "deadletter") == [SLOW]
    assert sorted(await lanes.readable(17)) == sorted([*values(0, 16), LOCKED])


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=4), st.sets(st.integers(0, 20), max_size=4), st.data()
)
async def test_whoever_is_slow_and_wherever_exactly_they_are_refused_and_all_others_stored(
    counts: list[int], slow: set[int], data: st.DataObject
) -> None:
    bench = Bench(Slow(slow, bad_moments=data.draw(st.integers(0, 1))), counts)
    await bench.run()
    assert sorted(bench.refused) == sorted(slow & set(range(sum(counts))))
