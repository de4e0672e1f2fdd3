"""Who comes in, who does not, and what ends a sign-in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from pydantic import SecretStr

from config.errors import ConfigurationError, TongdaiError
from config.gateway import GatewaySettings
from config.settings import Settings
from workers.gateway import accounts
from workers.gateway.accounts import Account
from workers.gateway.attempts import FREE_OF_LOGIN, WAIT_LAST_S, wait_s
from workers.gateway.problem import ApiError
from workers.gateway.service_tokens import add_service_token, revoke_service_token
from workers.gateway.sign_in import SignIns
from workers.gateway.signing_key import signing_key
from workers.gateway.tokens import Tokens, WrongTokenError
from workers.gateway.verifier import OwnTokens

PASSWORD = "một mật khẩu dài"
LAN = Account("lan@example.com", "agent", "lan", active=True)
HOME = "198.51.100.7"


def _tokens() -> Tokens:
    return Tokens("k" * 48, access_s=600, refresh_s=86_400)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database, min_size=1, max_size=4) as pool:
        yield pool


@pytest.fixture
async def sign_ins(pool: asyncpg.Pool) -> SignIns:
    await accounts.add_account(pool, "shop", LAN, PASSWORD)
    return SignIns(pool, _tokens())


async def _code(attempt: object) -> str:
    with pytest.raises(ApiError) as refused:
        await attempt  # type: ignore[misc]
    return refused.value.code


async def test_a_sign_in_lives_by_its_refresh_tokens_and_ends_when_an_old_one_comes_back(
    sign_ins: SignIns, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = OwnTokens(pool, _tokens())
    first = await sign_ins.sign_in("shop", LAN.login, PASSWORD, HOME)
    identity = (await verifier.verify(first.access_token)).identity
    assert (identity.actor, identity.role) == ("agent:shop/lan", "agent")
    # Two tabs at once get the same next token.
    second, same = await asyncio.gather(
        sign_ins.refresh(first.refresh_token, HOME), sign_ins.refresh(first.refresh_token, HOME)
    )
    assert second.refresh_token == same.refresh_token != first.refresh_token
    third = await sign_ins.refresh(second.refresh_token, HOME)
    assert await _code(sign_ins.refresh(first.refresh_token, HOME)) == "unauthenticated"
    assert await _code(sign_ins.refresh(third.refresh_token, HOME)) == "unauthenticated"
    monkeypatch.setattr("workers.gateway.verifier.CACHED_S", -1.0)
    assert await _code(verifier.verify(third.access_token)) == "unauthenticated"
    assert await pool.fetchval("SELECT ended_why FROM sign_in") == "reused"


async def test_a_stolen_token_is_told_even_when_it_comes_at_once_but_after_two_rotations(
    sign_ins: SignIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await sign_ins.sign_in("shop", LAN.login, PASSWORD, HOME)
    await sign_ins.refresh(first.refresh_token, HOME)
    monkeypatch.setattr("workers.gateway.sign_in.TOGETHER_S", 0.0)
    assert await _code(sign_ins.refresh(first.refresh_token, HOME)) == "unauthenticated"


async def test_who_is_disabled_or_has_another_password_is_out(sign_ins: SignIns, pool: asyncpg.Pool) -> None:
    granted = await sign_ins.sign_in("shop", LAN.login, PASSWORD, HOME)
    async with pool.acquire() as connection:
        await accounts.set_password(connection, "shop", LAN.login, PASSWORD + "!")
    assert await _code(sign_ins.refresh(granted.refresh_token, HOME)) == "unauthenticated"
    assert await _code(sign_ins.sign_in("shop", LAN.login, PASSWORD, HOME)) == "unauthenticated"
    granted = await sign_ins.sign_in("shop", LAN.login, PASSWORD + "!", HOME)
    async with pool.acquire() as connection:
        await accounts.set_active(connection, "shop", LAN.login, active=False)
    assert await _code(OwnTokens(pool, _tokens()).verify(granted.access_token)) == "unauthenticated"
    assert await _code(sign_ins.sign_in("shop", LAN.login, PASSWORD + "!", HOME)) == "unauthenticated"


async def test_guesses_are_slowed_down_whether_there_is_such_an_account_or_not(
    sign_ins: SignIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.gateway.attempts.WAIT_FIRST_S", 600.0)
    for login in (LAN.login, "nobody"):
        guesses = [sign_ins.sign_in("shop", login, f"guess {number}", HOME) for number in range(6)]
        codes = [await _code(guess) for guess in guesses]
        assert codes == ["unauthenticated"] * FREE_OF_LOGIN + ["too_many_attempts"] * 2
    assert await _code(sign_ins.sign_in("shop", LAN.login, PASSWORD, "203.0.113.9")) == "too_many_attempts"


def test_the_delay_grows_and_has_an_end() -> None:
    delays = [wait_s(failures, FREE_OF_LOGIN) for failures in range(40)]
    assert delays == sorted(delays)
    assert delays[FREE_OF_LOGIN - 1] == 0 < delays[FREE_OF_LOGIN]
    assert delays[-1] == WAIT_LAST_S


async def test_a_lock_ends_by_itself_grows_with_each_guess_and_is_gone_with_the_right_password(
    sign_ins: SignIns, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.gateway.attempts.WAIT_FIRST_S", 60.0)

    async def guess() -> float | None:
        with pytest.raises(ApiError) as refused:
            await sign_ins.sign_in("shop", LAN.login, "wrong", HOME)
        return refused.value.retry_after_s

    async def pass_time(seconds: float) -> None:
        await pool.execute(
            "UPDATE sign_in_attempt SET last_at = last_at - make_interval(secs => $1)", seconds
        )

    for _ in range(FREE_OF_LOGIN):
        assert await guess() is None
    waits: list[float] = []
    for _ in range(3):
        waits.append(await guess() or 0.0)
        await pass_time(waits[-1])
        assert await guess() is None  # it is looked at, and wrong
    for wait, longer in pairwise(waits):
        assert longer == pytest.approx(wait * 2, rel=0.3)
    # The right password does not help while the lock lasts; then it ends it.
    assert await _code(sign_ins.sign_in("shop", LAN.login, PASSWORD, HOME)) == "too_many_attempts"
    await pass_time(waits[-1] * 2 + 60)
    await sign_ins.sign_in("shop", LAN.login, PASSWORD, HOME)
    for _ in range(FREE_OF_LOGIN):
        assert await guess() is None


NETWORKS = ("203.0.113.0/24", "2001:db8:5::/48", "192.0.2.7/32", "2001:db8:6::1/128")


INSIDE = (
    "203.0.113.5",
    "::ffff:203.0.113.5",
    "192.0.2.7",
    "2001:db8:5:1::9",
    "2001:db8:5::1%eth0",
    "2001:db8:6::1",
)
OUTSIDE = (HOME, "::ffff:203.0.114.5", "192.0.2.8", "2001:db8:6::2", "2001:db8:7::1", "")


async def test_with_an_allow_list_people_come_from_its_networks_only(
    sign_ins: SignIns, pool: asyncpg.Pool
) -> None:
    elsewhere = await sign_ins.sign_in("shop", LAN.login, PASSWORD, HOME)
    for network in NETWORKS:
        await accounts.allow_network(pool, "shop", network, "office")
    assert [one for one in (*INSIDE, *OUTSIDE) if await sign_ins._may_come("shop", one)] == list(INSIDE)
    granted = await sign_ins.sign_in("shop", LAN.login, PASSWORD, INSIDE[1])
    await sign_ins.refresh(granted.refresh_token, INSIDE[3])
    for attempt in (
        sign_ins.sign_in("shop", LAN.login, PASSWORD, HOME),
        sign_ins.refresh(elsewhere.refresh_token, HOME),
    ):
        with pytest.raises(ApiError) as refused:
            await attempt
        # Whoever tries learns nothing of the list; the audit does.
        assert (refused.value.code, refused.value.noted.code) == ("unauthenticated", "network")


async def test_what_is_no_network_is_told(pool: asyncpg.Pool) -> None:
    for wrong in ("203.0.113.5/24", "2001:db8::1/48", "office"):
        with pytest.raises(TongdaiError, match="no network"):
            await accounts.allow_network(pool, "shop", wrong, "")


async def test_a_service_has_one_token_until_it_is_revoked(pool: asyncpg.Pool) -> None:
    verifier = OwnTokens(pool, _tokens())
    old = await add_service_token(pool, "shop", "crm", ["messages"], None)
    new = await add_service_token(pool, "shop", "crm", ["messages", "customers"], None)
    identity = (await verifier.verify(new)).identity
    assert (identity.actor, identity.scopes) == ("service:shop/crm", frozenset({"messages", "customers"}))
    await revoke_service_token(pool, "shop", "crm")
    for token in (old, new[:-1], "tds_shop.crm", "tds_", "nonsense"):
        assert await _code(verifier.verify(token)) == "unauthenticated"


def test_a_token_is_good_for_its_own_purpose_and_key_only() -> None:
    access = _tokens().access("shop", "lan", uuid4())
    assert _tokens().read("access", access).login == "lan"
    with pytest.raises(WrongTokenError):
        _tokens().read("refresh", access)
    with pytest.raises(WrongTokenError):
        Tokens("x" * 48, access_s=1, refresh_s=1).read("access", access)
    with pytest.raises(WrongTokenError):
        _tokens().read("access", Tokens("k" * 48, access_s=-1, refresh_s=1).access("s", "l", uuid4()))


def test_the_signing_key_is_kept_locally_and_needed_in_production(tmp_path: Path) -> None:
    path = tmp_path / "data" / "gateway.key"
    key = signing_key(Settings(), path)
    assert signing_key(Settings(), path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigurationError, match="TONGDAI_GATEWAY_SIGNING_KEY is not set"):
        signing_key(Settings(profile="production"), path)
    given = GatewaySettings(signing_key=SecretStr("s" * 32))
    assert signing_key(Settings(profile="production", gateway=given), path) == "s" * 32
