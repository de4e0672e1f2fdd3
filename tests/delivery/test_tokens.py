"""Zalo's rotating tokens: one exchange at a time, stored before use, whoever dies at whichever step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from config.errors import ConfigurationError
from config.settings import Settings
from tests.delivery.ground import DEADLINE_S, OA, Ground, ground
from tests.waiting import eventually
from workers.channels.delivery.posting import open_client
from workers.channels.delivery.renewal import Renewal
from workers.channels.delivery.vault import Vault, open_vault
from workers.channels.delivery.zalo_tokens import Again, Pair, Spent, ZaloTokens

SOON_S = 30.0
SECRET = "a secret of thirty-two bytes or more"


@asynccontextmanager
async def _oa(dsn: str, **delivery: object) -> AsyncIterator[tuple[Ground, Renewal]]:
    """The official account with its first refresh token, due to be exchanged; and one worker's renewal."""
    async with ground(dsn, **delivery) as field, open_client(field.settings.delivery) as client:
        await field.connect(OA, field.oa, refresh="refresh 1")
        pool = await asyncpg.create_pool(dsn, min_size=0, max_size=4)
        try:
            tokens = ZaloTokens(client, field.settings)
            yield field, Renewal(pool, tokens, field.vault, field.settings.delivery)
        finally:
            pool.terminate()


async def _kept(field: Ground) -> tuple[str, str]:
    """The pair that is stored."""
    page = await field.page(OA)
    return field.vault.open(page["access_token"]), field.vault.open(page["refresh_token"])


@pytest.mark.servers
async def test_tokens_are_exchanged_once_whoever_works_and_kept_encrypted(database: str) -> None:
    async with _oa(database) as (field, _):
        async with field.delivering(workers=3):

            async def is_renewed() -> bool:
                return bool((await field.page(OA))["token_version"] == 2)

            await eventually(is_renewed, "the tokens are renewed")
            await field.until(await field.say(OA, "an", "một"), "sent")
        assert field.zalo.exchanges == ["300"]
        assert await _kept(field) == (field.oa.token, field.zalo.refresh_tokens["300"])
        page = await field.page(OA)
        assert field.oa.token.encode() not in page["access_token"] + page["refresh_token"]
        life_s = (page["token_ends_at"] - page["token_at"]).total_seconds()
        early_s = (page["token_ends_at"] - page["refresh_at"]).total_seconds()
        assert (round(life_s), round(early_s)) == (90_000, 18_000), "at twenty of twenty-five hours"


@pytest.mark.servers
async def test_a_token_that_ended_early_is_exchanged_and_the_message_goes(database: str) -> None:
    async with _oa(database) as (field, _):
        await field.database.execute(
            "UPDATE delivery_page SET token_at = now() - interval '1 day', refresh_at = now() + '1 hour'"
        )
        field.zalo.tokens.clear()
        async with field.delivering():
            await field.until(await field.say(OA, "an", "một"), "sent")
        assert (field.zalo.exchanges, field.oa.texts("an")) == (["300"], ["một"])


@pytest.mark.servers
async def test_a_worker_killed_before_the_exchange_leaves_it_to_another(database: str) -> None:
    async with _oa(database) as (field, renewal):
        lease = await renewal.lease()
        assert lease is not None
        assert await renewal.lease() is None, "one at a time"
        await field.database.execute(
            "UPDATE delivery_page SET refreshing_until = now() - interval '1 second'"
        )
        second = await renewal.lease()
        assert second is not None
        await renewal.renew(second)
        assert await _kept(field) == (field.oa.token, field.zalo.refresh_tokens["300"])


@pytest.mark.servers
async def test_a_worker_killed_between_exchange_and_storing_costs_the_pair_and_nothing_else(
    database: str,
) -> None:
    """The one step that nobody can take back: it is seen, and the former access token lasts to its end."""
    async with _oa(database) as (field, renewal):
        lease = await renewal.lease()
        assert lease is not None
        former = field.vault.open((await field.page(OA))["access_token"])
        field.zalo.oauth_faults.append("lose")
        lost = await renewal._tokens.exchange(lease.app, field.vault.open(lease.refresh))
        assert isinstance(lost, Again), "whether it took place is unknown"
        await field.database.execute("UPDATE delivery_page SET refreshing_until = NULL")
        for _ in range(3):
            await field.database.execute("UPDATE delivery_page SET refresh_at = now()")
            again = await renewal.lease()
            assert again is not None
            await renewal.renew(again)
        page = await field.page(OA)
        assert (page["refresh_at"], page["refresh_failures"], page["token_version"]) == (
            None,
            3,
            lease.version,
        )
        async with field.delivering():
            await field.until(await field.say(OA, "an", "một"), "sent")
            field.zalo.tokens.pop(former)
            stuck = await field.say(OA, "an", "hai")
            await field.until(stuck, "queued", "token_broken")
            await field.connect(OA, field.oa)
            await field.until(stuck, "sent")
        assert field.oa.texts("an") == ["một", "hai"]


@pytest.mark.servers
async def test_a_worker_killed_after_storing_has_lost_nothing(database: str) -> None:
    async with _oa(database) as (field, renewal):
        lease = await renewal.lease()
        assert lease is not None
        await renewal.renew(lease)
        async with field.delivering():
            await field.until(await field.say(OA, "an", "một"), "sent")
        assert field.zalo.exchanges == ["300"]


@pytest.mark.servers
async def test_a_worker_that_stops_during_an_exchange_stores_the_pair_first(database: str) -> None:
    async with _oa(database) as (field, _):
        field.zalo.oauth_faults.append("hold")
        worker = asyncio.create_task(field.dispatcher().run())
        async with asyncio.timeout(DEADLINE_S):
            await field.zalo.held.wait()
        worker.cancel()
        field.zalo.release.set()
        with pytest.raises(asyncio.CancelledError):
            await worker
        assert await _kept(field) == (field.oa.token, field.zalo.refresh_tokens["300"])


@pytest.mark.servers
async def test_a_worker_that_stops_does_not_wait_for_an_exchange_without_end(database: str) -> None:
    async with _oa(database, request_timeout_s=2 * SOON_S) as (field, renewal):
        field.zalo.oauth_faults.append("hold")
        renewal._lease_s = 0.1
        await renewal.begin_due()
        async with asyncio.timeout(SOON_S):
            await field.zalo.held.wait()
            await renewal.finish()
        field.zalo.release.set()


@pytest.mark.servers
async def test_who_was_frozen_with_the_only_good_pair_stores_it_and_never_over_a_newer_one(
    database: str,
) -> None:
    async with _oa(database) as (field, renewal):
        frozen = await renewal.lease()
        assert frozen is not None
        pair = Pair("access 2", "refresh 2", 90_000)
        await field.database.execute(
            "UPDATE delivery_page SET refreshing_until = now() - interval '1 second'"
        )
        other = await renewal.lease()
        assert other is not None
        await renewal.store(other, Spent("it was used"))
        await renewal.store(frozen, pair)
        assert await _kept(field) == ("access 2", "refresh 2")
        await field.connect(OA, field.oa, refresh="refresh 3")
        await renewal.store(frozen, pair)
        assert await _kept(field) == (field.oa.token, "refresh 3"), "what a person has given counts"


@pytest.mark.servers
async def test_a_fault_of_the_moment_is_tried_again(database: str) -> None:
    async with _oa(database) as (field, renewal):
        field.zalo.oauth_faults.append("refuse")
        lease = await renewal.lease()
        assert lease is not None
        await renewal.renew(lease)
        page = await field.page(OA)
        assert (page["refresh_failures"], page["refresh_at"] is None) == (1, False)
        async with field.delivering():

            async def is_renewed() -> bool:
                return bool((await field.page(OA))["token_version"] > lease.version)

            await eventually(is_renewed, "the tokens are renewed")


def test_production_does_not_start_without_a_key(tmp_path: Path) -> None:
    production = Settings.model_construct(**{**Settings().__dict__, "profile": "production"})
    with pytest.raises(ConfigurationError, match="TONGDAI_DELIVERY_KEYS is not set"):
        open_vault(production, tmp_path / "key")
    local = open_vault(Settings(), tmp_path / "key")
    assert open_vault(Settings(), tmp_path / "key").open(local.seal("bí mật")) == "bí mật"


def test_keys_are_changed_by_putting_the_new_one_first() -> None:
    old, both, new = Vault([SECRET]), Vault([SECRET + "2", SECRET]), Vault([SECRET + "2"])
    sealed = old.seal("token")
    assert both.open(sealed) == "token"
    assert new.open(both.seal("token")) == "token"
    with pytest.raises(ConfigurationError, match="add that key"):
        new.open(sealed)
    tampered = sealed[:-4] + b"AAAA"
    with pytest.raises(ConfigurationError):
        old.open(tampered)
