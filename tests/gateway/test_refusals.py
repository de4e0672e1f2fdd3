"""What is refused before anybody looks at it, how it is told, and what a workspace's admins learn of it."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from config.gateway import GatewaySettings
from config.settings import Settings
from tests.gateway.ground import DEADLINE_S, KEY, SHOP, Client, gateway, sign_in
from tests.gateway.test_sockets import closed, receive, say
from tests.waiting import until
from workers.channels.problem import MEDIA_TYPE
from workers.gateway import accounts
from workers.gateway.accounts import Account
from workers.gateway.app import create_app
from workers.gateway.connection import TOKEN_ENDED

CONSOLE = "https://console.example.com"


def test_nobody_may_come_from_anywhere_unless_it_is_said() -> None:
    assert GatewaySettings().origins == ()


async def test_browsers_may_call_from_the_origins_that_are_set_and_from_no_other() -> None:
    own = GatewaySettings.model_validate({"origins": CONSOLE, "signing_key": KEY})
    app = create_app(Settings(gateway=own), lambda _: None)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        wants = {
            "origin": CONSOLE,
            "access-control-request-method": "PUT",
            "access-control-request-headers": "authorization,idempotency-key",
        }
        path = "/api/v1/agents/lan/leave"
        allowed = await http.options(path, headers=wants)
        assert allowed.status_code == httpx.codes.OK
        assert allowed.headers["access-control-allow-origin"] == CONSOLE
        assert "PUT" in allowed.headers["access-control-allow-methods"]
        assert "access-control-allow-credentials" not in allowed.headers
        for more in (
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"access-control-request-method": "PATCH"},
            {"access-control-request-headers": "x-other"},
        ):
            refused = await http.options(path, headers=wants | more)
            assert refused.status_code == httpx.codes.BAD_REQUEST, more
        answer = await http.get("/api/v1/nowhere", headers={"origin": CONSOLE})
        assert answer.headers["access-control-allow-origin"] == CONSOLE
        assert "retry-after" in answer.headers["access-control-expose-headers"]
        answer = await http.get("/api/v1/nowhere", headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.servers
async def test_who_asks_too_much_is_told_when_to_come_back(
    settings: Settings,
    topics: dict[str, str],
    rows: asyncpg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.gateway.socket_acts.TOLD_EVERY_S", 60.0)
    async with gateway(settings, agent_rate_per_s=0.02, agent_rate_burst=3) as http:
        lan, minh = await sign_in(http, "lan"), await sign_in(http, "minh")
        assert [(await lan.get("me")).status_code for _ in range(3)] == [200] * 3
        refused = await lan.get("me")
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert refused.headers["content-type"] == MEDIA_TYPE
        assert 1 <= int(refused.headers["retry-after"]) <= 50
        assert (await minh.get("me")).status_code == httpx.codes.OK  # each has his own
        async with minh.signed_in() as tab:
            await receive(tab)
            for _ in range(6):
                await say(tab, do="active")
            told = await receive(tab)
            assert (told["event"], told["data"]["do"], told["data"]["code"]) == (
                "refused",
                "active",
                "rate_limited",
            )
            assert 0 < told["data"]["retry_after_s"] <= 50
            # The other ones of that time are not told one by one: the next answer is the call's.
            await say(tab, do="call", id="1", idempotency_key="1", call="bulk")
            answer = await receive(tab)
            assert (answer["re"], answer["status"]) == ("1", 429)
    async with gateway(settings, address_rate_per_s=0.001, address_rate_burst=40) as http:
        lan = await sign_in(http, "lan")
        while (passed := await http.get("/api/v1/nowhere")).status_code != 429:
            assert passed.status_code == 404
        assert int(passed.headers["retry-after"]) > 1
        with pytest.raises(InvalidStatus) as wrong:  # nor does a socket open any more
            async with lan.socket():
                pass
        response = wrong.value.response
        assert (response.status_code, response.headers["content-type"]) == (429, MEDIA_TYPE)
        assert int(response.headers["retry-after"]) > 1
        assert orjson.loads(response.body or b"")["code"] == "rate_limited"
        assert (await http.get("/readyz")).status_code == 200  # who watches over it is not refused


@pytest.mark.servers
@pytest.mark.parametrize(
    ("proxies", "address"),
    [("127.0.0.0/8", "2001:db8:5::1"), ("10.0.0.0/8", "127.0.0.1")],
    ids=["of its proxy", "of anybody"],
)
async def test_where_a_client_is_is_taken_from_proxies_alone(
    settings: Settings, topics: dict[str, str], rows: asyncpg.Connection[Any], proxies: str, address: str
) -> None:
    async with gateway(settings, proxies=proxies) as http:
        wrong = {"workspace": SHOP, "login": "lan", "password": "guess"}
        said = {"x-forwarded-for": "198.51.100.7, 2001:db8:5::1"}
        assert (await http.post("/api/v1/sign-in", json=wrong, headers=said)).status_code == 401
        await until(rows, "SELECT FROM audit WHERE address = $1", address)


def test_what_is_no_proxy_is_told() -> None:
    with pytest.raises(ValueError, match="what is no network"):
        GatewaySettings.model_validate({"proxies": "10.0.0.1/8"})


@pytest.mark.servers
async def test_admins_read_what_was_refused_in_their_workspace_and_nobody_else_does(
    settings: Settings, topics: dict[str, str], rows: asyncpg.Connection[Any]
) -> None:
    await accounts.add_account(
        rows, "rival", Account("chu", "admin", "chu", active=True), "mat khau khac day"
    )
    async with gateway(settings, origins=CONSOLE) as http:
        url = f"{str(http.base_url).replace('http', 'ws', 1).rstrip('/')}/api/v1/ws"
        with pytest.raises(InvalidStatus, match="403"):
            async with connect(url, origin="https://evil.example"):  # type: ignore[arg-type]
                pass
        async with connect(url, origin=CONSOLE):  # type: ignore[arg-type]
            pass
        lan, chu = await sign_in(http, "lan"), await sign_in(http, "chu")
        own = {"workspace": "rival", "login": "chu", "password": "mat khau khac day"}
        rival = Client(http, (await http.post("/api/v1/sign-in", json=own)).json()["access_token"])
        for _ in range(2):
            wrong = {"workspace": SHOP, "login": "lan", "password": "guess"}
            assert (await http.post("/api/v1/sign-in", json=wrong)).status_code == 401
        assert (await Client(http, "wrong").get("me")).status_code == 401
        assert (await lan.get("audit")).status_code == 403
        await accounts.allow_network(rows, SHOP, "203.0.113.0/24", "office")
        right = {"workspace": SHOP, "login": "minh", "password": "mat khau cua shop"}
        assert (await http.post("/api/v1/sign-in", json=right)).status_code == 401
        assert (await http.post("/api/v1/sign-in", json={**right, "workspace": "rival"})).status_code == 401
        assert (await Client(http, "tds_shop.crm.guess").get("me")).status_code == 401
        ended = "UPDATE sign_in SET ended_at = now() WHERE login = 'lan'"
        await rows.execute(ended)
        async with asyncio.timeout(DEADLINE_S):
            while (await lan.get("me")).status_code != 401:
                await asyncio.sleep(0.1)  # a gateway believes a token for a second
        async with lan.signed_in() as tab:
            assert await closed(tab) == TOKEN_ENDED
        for code in ("origin", "network", "forbidden"):
            await until(rows, "SELECT FROM audit WHERE code = $1", code)
        await until(rows, "SELECT FROM audit WHERE workspace_id = 'rival'")
        await until(rows, "SELECT FROM audit WHERE actor = 'login:lan' AND call = 'ws'")

        said = (await chu.get("audit?proven=false")).json()["attempts"]
        assert [(one["actor"], one["call"], one["code"]) for one in said] == [
            ("service:shop/crm", "me", "unauthenticated"),
            ("login:lan", "sign-in", "unauthenticated"),
            ("login:lan", "sign-in", "unauthenticated"),
        ]
        told = (await chu.get("audit")).json()["attempts"]
        assert [(one["actor"], one["call"], one["code"]) for one in told] == [
            ("login:lan", "ws", "unauthenticated"),
            ("login:lan", "me", "unauthenticated"),
            ("login:minh", "sign-in", "network"),
            ("agent:shop/lan", "audit", "forbidden"),
        ]
        assert {(one["address"], one["times"]) for one in (*told, *said)} == {("127.0.0.1", 1)}
        page = (await chu.get("audit?limit=2")).json()
        rest = (await chu.get(f"audit?limit=2&before={page['next']}")).json()
        assert page["attempts"] + rest["attempts"] == told
        assert rest["next"] is None
        for narrowed, count in (
            ("code=network", 1),
            ("actor=login:lan", 2),
            ("actor=login:lan&proven=false", 2),
            ("since=2100-01-01T00:00:00Z", 0),
        ):
            assert len((await chu.get(f"audit?{narrowed}")).json()["attempts"]) == count
        assert (await rival.get("audit")).json()["attempts"] == []
        (one,) = (await rival.get("audit?proven=false")).json()["attempts"]
        assert one["code"] == "unauthenticated"
