"""Who is nowhere any more is told once, whichever ingress he was at, and whether that is still alive."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from workers.channels.glance import Place
from workers.channels.publisher import UnpublishedError
from workers.channels.records import Outgoing
from workers.channels.website.visits import Visits

pytestmark = pytest.mark.servers

GRACE_S = 120.0
KEY = "web:shop:a.one"
HIS: Place = "acme", UUID(int=1)
AGE = "UPDATE visit SET left_at = left_at - interval '1 s' * $1"
SILENT = "UPDATE visit_ingress SET alive_at = alive_at - interval '1 s' * $1 WHERE ingress = $2"


class Told:
    """Takes what is published, unless Kafka is away."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []
        self.back: list[str] = []
        """The keys of those who are said to be there again."""
        self.is_away = False
        self.order: list[str] = []
        """What was said of anybody, one after the other."""
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        """Happens once, while it is being said that somebody has left."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        if self.is_away:
            raise UnpublishedError("Kafka is away.")
        if self.meanwhile is not None and any(one.what == "left" for one in records):
            happen, self.meanwhile = self.meanwhile, None
            await happen()
        self.order += [one.what for one in records]
        self.records += [one for one in records if one.what == "left"]
        self.back += [(one.key or b"").decode() for one in records if one.what == "returned"]

    def take(self) -> list[str]:
        """The keys of those who are said to have left."""
        found, self.records = self.records, []
        return [(one.key or b"").decode() for one in found]


class Ingress:
    """One with its own clock, which connected long before anything that it is asked."""

    def __init__(self, pool: asyncpg.Pool, told: Told, name: str) -> None:
        publisher: Any = told
        self.visits = Visits(pool, publisher, name, GRACE_S)
        self.now_s = 0.0

    async def go_on(self) -> None:
        await self.visits._store()
        self.now_s += GRACE_S / 2
        await self.visits.beat(self.now_s)
        await self.visits._store()


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database, min_size=0, max_size=2) as pool:
        yield pool


async def test_a_visitor_has_left_when_he_was_nowhere_for_longer_than_the_grace(pool: asyncpg.Pool) -> None:
    told = Told()
    one, two = Ingress(pool, told, "one"), Ingress(pool, told, "two")
    for each in (one, two):
        await each.go_on()
    one.visits.came(HIS, KEY)
    two.visits.came(HIS, KEY)  # another tab of his
    for each in (one, two):
        await each.go_on()
    one.visits.went(HIS, time.monotonic())
    await one.go_on()
    await pool.execute(AGE, 2 * GRACE_S)
    await one.go_on()
    assert told.take() == []  # he is still at the other

    two.visits.went(HIS, time.monotonic())
    await two.go_on()
    assert told.take() == []  # the grace
    one.visits.came(HIS, KEY)
    await one.go_on()
    await pool.execute(AGE, 2 * GRACE_S)
    for each in (one, two):
        await each.go_on()
    assert told.take() == []  # he came back in time

    one.visits.went(HIS, time.monotonic())
    await one.go_on()
    await pool.execute(AGE, 2 * GRACE_S)
    told.is_away = True
    await one.go_on()
    told.is_away = False
    for each in (two, one, two):
        await each.go_on()
    (record,) = told.records
    said = orjson.loads(record.value)
    assert (record.topic, record.what, said["user"]) == ("inbound", "left", "a.one")
    assert GRACE_S * 1000 <= said["gone_ms"] <= 2 * GRACE_S * 1000
    assert told.take() == [KEY]
    assert await pool.fetchval("SELECT count(*) FROM visit") == 0

    told.back.clear()
    told.is_away = True
    one.visits.came(HIS, KEY)
    two.visits.came(HIS, KEY)
    await one.go_on()
    told.is_away = False
    for each in (one, two):
        await each.go_on()
    assert told.back == [KEY], "told once that he is back, and not while he was known to be near"


async def gone(pool: asyncpg.Pool, told: Told, *names: str) -> list[Ingress]:
    """Ingresses, at the first of which he was long ago; nobody has said so yet."""
    found = [Ingress(pool, told, name) for name in names]
    for each in found:
        await each.go_on()
    found[0].visits.came(HIS, KEY)
    await found[0].visits._store()
    found[0].visits.went(HIS, time.monotonic())
    await found[0].visits._store()
    await pool.execute(AGE, 2 * GRACE_S)
    told.order.clear()
    return found


async def test_who_comes_while_it_is_told_that_he_has_left_is_told_as_back_behind_it(
    pool: asyncpg.Pool,
) -> None:
    told = Told()
    one, two = await gone(pool, told, "one", "two")
    two.visits.came(HIS, KEY)
    told.meanwhile = two.visits._store
    await one.go_on()
    assert told.order[-2:] == ["left", "returned"]
    told.order.clear()
    for each in (one, two):
        await each.go_on()
    assert told.order == []


async def test_who_is_told_to_have_left_before_it_is_written_that_he_is_here_is_told_as_back(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow:
        """Postgres, from one who has looked and writes late."""

        fetch = staticmethod(pool.fetch)

        @staticmethod
        async def execute(*given: object) -> None:
            await one.go_on()
            await pool.execute(*given)

    told = Told()
    one, two = await gone(pool, told, "one", "two")
    two.visits.came(HIS, KEY)
    monkeypatch.setattr(two.visits, "_pool", Slow)
    told_back = two.visits._returns.settle

    async def away_at_first() -> None:
        told.is_away = True
        await told_back()
        told.is_away = False

    monkeypatch.setattr(two.visits._returns, "settle", away_at_first)
    await two.visits._store()
    assert told.order == ["left"]
    monkeypatch.setattr(two.visits._returns, "settle", told_back)
    monkeypatch.setattr(two.visits, "_pool", pool)
    await two.go_on()
    assert told.order == ["left", "returned"]


async def test_the_visitors_of_an_ingress_that_died_have_left_when_it_was_last_alive(
    pool: asyncpg.Pool,
) -> None:
    told = Told()
    killed, other = Ingress(pool, told, "killed"), Ingress(pool, told, "other")
    for each in (killed, other):
        await each.go_on()
    others: Place = "acme", UUID(int=2)
    killed.visits.came(HIS, KEY)
    killed.visits.came(others, "web:shop:a.two")
    await killed.go_on()
    other.visits.came(others, "web:shop:a.two")  # his widget has found the other ingress
    await other.go_on()
    await pool.execute(SILENT, GRACE_S / 2 + 1, "killed")
    await other.go_on()
    assert told.take() == []
    await pool.execute(AGE, GRACE_S / 2)
    await other.go_on()
    assert told.take() == [KEY]

    # One that was only frozen says who is there anew.
    await killed.go_on()
    assert await pool.fetchval("SELECT count(*) FROM visit WHERE left_at IS NULL AND ingress = 'killed'") == 2


async def test_after_an_outage_everybody_has_time_to_come_back(pool: asyncpg.Pool) -> None:
    told = Told()
    before = Ingress(pool, told, "before")
    before.visits.came(HIS, KEY)
    await before.go_on()
    await pool.execute(SILENT, 10 * GRACE_S, "before")
    fresh = Ingress(pool, told, "fresh")
    await fresh.visits.beat(0.0)
    await fresh.visits.beat(GRACE_S / 2 - 1)
    assert told.take() == []
    fresh.visits.came(HIS, KEY)
    await fresh.go_on()
    await fresh.go_on()
    assert told.take() == []
    fresh.visits.went(HIS, time.monotonic())
    await fresh.go_on()
    await pool.execute(AGE, 10 * GRACE_S)
    await fresh.go_on()
    assert told.take() == [KEY]
