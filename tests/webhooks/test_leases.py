"""Who has an endpoint: one worker at a time, and what an earlier one still writes is refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self
from uuid import uuid4

import asyncpg
import pytest

from config.settings import Settings
from tests.webhooks.ground import DEADLINE_S, KEYS, SHOP, add, connected, with_webhooks
from workers.webhooks.administering import Webhooks
from workers.webhooks.leases import Leased, Leases
from workers.webhooks.store import FENCE, LeaseLostError, Standing, Store
from workers.webhooks.track import Failing
from workers.webhooks.worker import pool_of

LEASE_S = 0.5
URL = "https://hooks.example.com/x"


def standing(offset: int) -> Standing:
    return Standing({"assignments": [offset]}, Failing(), {}, None, 0, None)


@pytest.fixture
def offline(database: str) -> Settings:
    """Settings of this test's database, without Kafka."""
    return with_webhooks(Settings().with_servers(bootstrap_servers="127.0.0.1:1", dsn=database))


async def test_a_lease_that_ran_out_goes_to_another_and_the_first_can_write_no_more(
    offline: Settings,
) -> None:
    await add(offline, "crm", URL, events=["assignments"])
    async with asyncpg.create_pool(offline.postgres.dsn.get_secret_value(), min_size=1, max_size=4) as pool:
        mine, other = uuid4(), uuid4()
        ours, theirs = Leases(pool, mine, 60), Leases(pool, other, 60)
        (held,) = await ours.claim(5)
        await Store(pool, mine).write(held, standing(3))
        assert await ours.renew([(held.name, held.term)]) == {held.name: False}
        assert await theirs.claim(5) == []
        await pool.execute("UPDATE webhook_endpoint SET lease_until = now() - interval '1 second'")
        (taken,) = await theirs.claim(5)
        assert taken.term > held.term
        assert await ours.renew([(held.name, held.term)]) == {}
        with pytest.raises(LeaseLostError):
            await Store(pool, mine).write(held, standing(9))
        assert await Store(pool, other).positions(held.name) == {("assignments", 0): 3}
        await ours.let_go([held.name])  # not ours to let go
        await Store(pool, other).write(taken, standing(4))


async def test_who_freezes_while_it_stores_loses_the_endpoint_all_the_same(offline: Settings) -> None:
    quick = with_webhooks(offline, lease_s=1.0)
    await add(quick, "crm", URL, events=["assignments"])
    async with pool_of(quick) as frozen, pool_of(quick) as awake:
        mine, other = uuid4(), uuid4()
        (held,) = await Leases(frozen, mine, LEASE_S).claim(5)
        async with frozen.acquire() as connection:
            storing = connection.transaction()
            await storing.start()
            assert await connection.fetchrow(FENCE, *held.name, mine, held.term) is not None
            async with asyncio.timeout(DEADLINE_S):
                while not (taken := await Leases(awake, other, LEASE_S).claim(5)):
                    await asyncio.sleep(0.05)
            assert taken[0].term > held.term
            with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
                await storing.commit()


@pytest.mark.parametrize("change", ["pause", "replay", "rotate", "resume"])
async def test_a_change_fences_off_who_has_it_and_nobody_else_begins_before_he_lets_go(
    offline: Settings, change: str
) -> None:
    await add(offline, "crm", URL, events=["assignments"])
    webhooks = Webhooks(offline, KEYS)
    async with (
        asyncpg.create_pool(offline.postgres.dsn.get_secret_value(), min_size=1, max_size=4) as pool,
        connected(offline) as database,
    ):
        mine = uuid4()
        ours, theirs = Leases(pool, mine, 60), Leases(pool, uuid4(), 60)
        (held,) = await ours.claim(5)
        more = {"pause": ("cli:test",), "replay": ("beginning",)}.get(change, ())
        await getattr(webhooks, change)(database, SHOP, "crm", *more)
        with pytest.raises(LeaseLostError):
            await Store(pool, mine).write(held, standing(9))
        assert await ours.renew([(held.name, held.term)]) == {}
        assert await theirs.claim(5) == []
        await ours.let_go([held.name])
        assert len(await theirs.claim(5)) == (0 if change == "pause" else 1)


async def test_a_worker_whose_own_clock_is_days_ahead_goes_by_postgres(
    offline: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(days=4)

    monkeypatch.setattr("workers.webhooks.clock.datetime", Ahead)
    async with asyncpg.create_pool(offline.postgres.dsn.get_secret_value(), min_size=1, max_size=1) as pool:
        leases = Leases(pool, uuid4(), 60)
        assert leases.clock.now() - datetime.now(UTC) > timedelta(days=3)
        await leases.renew([])
        before = await pool.fetchval("SELECT clock_timestamp()")
        assert abs(leases.clock.now() - before) < timedelta(hours=1)


async def test_many_workers_claim_each_endpoint_once_and_share_them(offline: Settings) -> None:
    for number in range(12):
        await add(offline, f"crm-{number}", URL)
    async with asyncpg.create_pool(offline.postgres.dsn.get_secret_value(), min_size=1, max_size=8) as pool:
        workers = [Leases(pool, uuid4(), 60) for _ in range(5)]
        for worker in workers:
            await worker.renew([])
        assert await workers[0].share() == 3  # twelve for five: three at most
        claimed: list[list[Leased]] = await asyncio.gather(*(worker.claim(3) for worker in workers))
        names = [one.name for some in claimed for one in some]
        assert len(names) == len(set(names)) == 12
        await workers[1].leave()
        assert await workers[0].share() == 3
        await workers[2].leave()
        assert await workers[0].share() == 4
