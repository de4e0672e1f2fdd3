"""Behind a backlog two halves of the lanes are worked off side by side; nothing is lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

import asyncpg
import pytest

from tests.runtime.bench_of_lanes import Lanes, all_there, both_own_lanes, values
from tests.runtime.copier import POISON, Copier
from tests.waiting import eventually
from workers.runtime.batch import Batch, Record
from workers.runtime.failures import LaneFailedError, TermEndedError
from workers.runtime.halves import Halves
from workers.runtime.handler import Connection
from workers.runtime.portions import Stored
from workers.runtime.postgres import disconnect
from workers.runtime.sessions import Sessions

LANES = [0, 1, 2, 3]
EVEN, ODD = "even", "odd"
"""The connections of the halves."""


def records(*lanes: int) -> list[Record]:
    return [Record("inbound", lane, 0, 0, b"key", b"value", []) for lane in lanes]


class Backlog:
    """So many portions of each half wait; tells what is stored and published."""

    generation = 1

    def __init__(self, portions: int = 3) -> None:
        self.left = {frozenset({0, 2}): portions, frozenset({1, 3}): portions}
        self.did: list[str] = []
        self.publishing = 0
        self.before: dict[str, Callable[[], Awaitable[None]]] = {}
        self.troubled: dict[str, Stored] = {}

    async def more(self, lanes: Collection[int]) -> list[Record]:
        half = frozenset(lanes)
        self.left[half] -= 1
        return records(*lanes) if self.left[half] >= 0 else []

    def is_backlog(self, count: int, *, of: int) -> bool:
        assert of == 2
        return count > 0

    async def store(self, connection: Connection, found: Sequence[Record]) -> Stored:
        assert {record.lane % 2 for record in found} == {[EVEN, ODD].index(connection)}
        self.did.append(f"store {connection}")
        await self.before.get(connection, lambda: asyncio.sleep(0))()
        stored = self.troubled.pop(connection, Stored())
        stored.lanes = {found[0].lane: (1, {})}
        return stored

    async def publish(self, stored: Stored) -> None:
        assert self.publishing == 0, "a term has one transaction at a time"
        self.publishing += 1
        await asyncio.sleep(0)
        self.publishing -= 1
        self.did.append(f"publish {EVEN if 0 in stored.lanes or 2 in stored.lanes else ODD}")

    async def work_off(self, *polled: int) -> list[Stored]:
        source: Any = self
        halves = Halves(source, self.store, self.publish, asyncio.Event())
        return await halves.work_off(records(*polled), LANES, [EVEN, ODD])

    def of(self, half: str) -> list[str]:
        return [each.split()[0] for each in self.did if each.endswith(f" {half}")]


async def test_everything_that_waits_is_stored_and_published_also_of_lanes_of_which_nothing_was_polled() -> (
    None
):
    backlog = Backlog()
    assert await backlog.work_off(0, 2) == []
    assert backlog.of(EVEN).count("store") == backlog.of(EVEN).count("publish") == 4
    assert backlog.of(ODD).count("store") == backlog.of(ODD).count("publish") == 3


async def test_one_half_is_computed_while_postgres_writes_the_other() -> None:
    backlog, begun = Backlog(), asyncio.Event()

    async def tell() -> None:
        begun.set()

    backlog.before = {EVEN: begun.wait, ODD: tell}  # type: ignore[dict-item]
    await asyncio.wait_for(backlog.work_off(*LANES), 60)


async def test_a_half_has_one_batch_stored_while_one_is_published() -> None:
    backlog = Backlog()
    await backlog.work_off(*LANES)
    for half in (EVEN, ODD):
        ahead = 0
        for what in backlog.of(half):
            ahead += 1 if what == "store" else -1
            assert 0 <= ahead <= 2


@pytest.mark.parametrize("where", [EVEN, ODD])
async def test_what_ends_the_term_in_one_half_breaks_the_other_off(where: str) -> None:
    backlog = Backlog()
    other = EVEN if where == ODD else ODD
    broken_off = asyncio.Event()

    async def end() -> None:
        raise TermEndedError("another owns the lane", fenced=True)

    async def wait_for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            broken_off.set()

    backlog.before = {where: end, other: wait_for_ever}
    with pytest.raises(TermEndedError):
        await backlog.work_off(*LANES)
    assert broken_off.is_set()
    assert backlog.of(where) == ["store"]


async def test_a_batch_of_which_not_all_was_stored_is_published_and_ends_its_half() -> None:
    backlog = Backlog()
    failed = Stored(failed=LaneFailedError(1, ValueError()))
    backlog.troubled = {ODD: failed}
    assert await backlog.work_off(*LANES) == [failed]
    assert backlog.of(ODD) == ["store", "publish"]
    assert backlog.of(EVEN).count("publish") == 4


async def test_nothing_more_is_asked_for_when_the_lanes_are_to_be_given_up() -> None:
    backlog = Backlog(portions=1_000)

    async def rebalance() -> None:
        backlog.generation = 2

    backlog.before = {EVEN: rebalance}
    await backlog.work_off(*LANES)
    assert backlog.of(EVEN) == ["store", "publish"]
    assert backlog.of(ODD).count("store") <= 2


class Watched(Copier):
    """Tells how many batches are in hand at once; each waits in Postgres for a moment."""

    def __init__(self) -> None:
        super().__init__()
        self.in_hand = self.most = 0

    async def handle(self, connection: Connection, batch: Batch) -> None:
        self.in_hand += 1
        self.most = max(self.most, self.in_hand)
        try:
            await connection.execute("SELECT pg_sleep(0.02)")
            await super().handle(connection, batch)
        finally:
            self.in_hand -= 1


def small_batches(lanes: Lanes) -> Any:  # noqa: ANN401  settings
    runtime = lanes.settings.runtime.model_copy(update={"batch_max_records": 40})
    return lanes.settings.model_copy(update={"runtime": runtime})


@pytest.mark.servers
async def test_a_backlog_is_stored_and_published_once_and_in_order(lanes: Lanes) -> None:
    await lanes.produce(values(0, 1_000))
    handler = Watched()
    running = lanes.start(handler, small_batches(lanes))
    await all_there(lanes, values(0, 1_000))
    await running.stop()
    assert handler.most == 2
    by_key: dict[bytes, list[int]] = {}
    for value, headers in await lanes.published():
        by_key.setdefault(headers["ce_subject"], []).append(int(value.split(b"-")[1]))
    assert all(numbers == sorted(numbers) for numbers in by_key.values())
    assert await lanes.database.fetchval("SELECT count(*) FROM pending") == 0


@pytest.mark.servers
async def test_a_backlog_with_records_that_cannot_be_handled_loses_no_other(lanes: Lanes) -> None:
    poisoned = [POISON if number % 90 == 7 else value for number, value in enumerate(values(0, 600))]
    await lanes.produce(poisoned)
    running = lanes.start(Watched(), small_batches(lanes))
    await all_there(lanes, [value for value in poisoned if value != POISON])
    await running.stop()
    dead = await lanes.published("deadletter")
    assert [value for value, _ in dead] == [POISON] * poisoned.count(POISON)


@pytest.mark.servers
async def test_a_worker_that_dies_or_shares_its_lanes_behind_a_backlog_loses_and_doubles_nothing(
    lanes: Lanes,
) -> None:
    await lanes.produce(values(0, 500))
    first, second = Watched(), Watched()
    dies = lanes.start(first, small_batches(lanes))
    await asyncio.wait_for(first.entered.wait(), 60)
    joins = lanes.start(second, small_batches(lanes))
    await both_own_lanes(lanes)
    first.entered.clear()
    await lanes.produce(values(500, 1_000))
    await asyncio.wait_for(first.entered.wait(), 60)
    await dies.crash()
    await all_there(lanes, values(0, 1_500))
    await joins.stop()


@pytest.mark.servers
async def test_who_gets_no_second_session_works_a_backlog_off_with_one(
    lanes: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(_: Sessions) -> None:
        """Postgres has none left."""

    monkeypatch.setattr(Sessions, "second", none)
    await lanes.produce(values(0, 200))
    handler = Watched()
    running = lanes.start(handler, small_batches(lanes))
    await all_there(lanes, values(0, 200))
    await running.stop()
    assert handler.most == 1


@pytest.mark.servers
async def test_a_term_that_loses_its_second_session_begins_anew(lanes: Lanes) -> None:
    await lanes.produce(values(0, 400))
    handler = Watched()
    running = lanes.start(handler, small_batches(lanes))

    async def two_at_once() -> bool:
        return handler.most == 2

    await eventually(two_at_once, "both halves are in hand")
    pids = await lanes.database.fetch(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'tongdai intake' "
        "AND datname = current_database() ORDER BY backend_start"
    )
    await lanes.database.execute("SELECT pg_terminate_backend($1)", pids[-1]["pid"])
    await all_there(lanes, values(0, 400))
    await running.stop()


@pytest.mark.servers
async def test_a_second_session_that_postgres_does_not_give_is_asked_for_again_later(lanes: Lanes) -> None:
    sessions = await Sessions.open("intake", lanes.settings)
    try:
        nowhere = lanes.settings.with_servers(
            bootstrap_servers="127.0.0.1:1", dsn="postgresql://nobody@127.0.0.1:1/none"
        )
        sessions.settings = nowhere
        assert await sessions.second() is None
        sessions.settings = lanes.settings
        assert await sessions.second() is None
        sessions._tried_at = None
        second = await sessions.second()
        assert second is not None
        assert await sessions.second() is second
        assert not sessions.lost(ValueError())
        await disconnect(second)
        assert sessions.lost(asyncpg.InterfaceError("closed"))
    finally:
        await sessions.close()
