"""How connections end: with their token, their account, their gateway, or because nobody reads them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Self
from urllib.parse import urlsplit

import asyncpg
import httpx
import orjson
import pytest

from config.settings import Settings
from schemas.ids import agent_key
from tests.gateway.ground import KEY, SHOP, Client, gateway, publish, sign_in
from tests.gateway.test_sockets import MESSAGE, closed, numbers, receive, say, to
from tests.waiting import until
from workers.channels.closing import Closing
from workers.channels.server import GRACE_S
from workers.gateway import accounts
from workers.gateway.connection import STOPPING, TOKEN_ENDED, Connection
from workers.gateway.identity import Identity
from workers.gateway.token_checks import WARNED_BEFORE, look_at_clock
from workers.gateway.tokens import Tokens

DEADLINE_S = 90.0
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LITTLE_S = 25.0
"""So long a token lives of whose end one is warned at once."""


async def test_who_has_little_time_left_is_warned_once_for_each_token_and_then_ended() -> None:
    cuts: list[Closing] = []
    connection = Connection(
        Identity(SHOP, "agent", "lan"), "", NOW + timedelta(minutes=1), 1_000, cuts.append
    )
    for second in range(60):
        look_at_clock(connection, NOW + timedelta(seconds=second))
    assert orjson.loads(await connection.next() or "") == {
        "event": "token_ends",
        "data": {"at": "2026-11-22T08:01:00.000Z"},
    }
    connection.until = NOW + timedelta(minutes=2)
    look_at_clock(connection, NOW + timedelta(minutes=2) - WARNED_BEFORE)
    assert not cuts
    look_at_clock(connection, NOW + timedelta(minutes=2))
    assert cuts == [TOKEN_ENDED]
    assert await connection.next() is None


class Events:
    """Server-sent events as they come in."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.last_id = ""

    async def next(self) -> tuple[str, Any]:
        """The next event: its name and data."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(DEADLINE_S):
            async for line in self._lines:
                if not line and fields:
                    break
                name, _, value = line.partition(": ")
                if name:
                    fields[name] = value
        self.last_id = fields.get("id", self.last_id)
        return fields["event"], orjson.loads(fields["data"])

    async def numbers(self, count: int) -> list[int]:
        return [(await self.next())[1]["number"] for _ in range(count)]


@asynccontextmanager
async def events(client: Client, last_event_id: str | None = None) -> AsyncIterator[Events]:
    """A stream of server-sent events."""
    named = {"authorization": f"Bearer {client.token}"}
    if last_event_id is not None:
        named["last-event-id"] = last_event_id
    async with client.http.stream("GET", "/api/v1/events", headers=named) as answer:
        assert answer.status_code == httpx.codes.OK
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Events(answer.aiter_lines())


async def metric(http: httpx.AsyncClient, line: str) -> None:
    """Wait until the gateway's metrics have this line."""
    async with asyncio.timeout(DEADLINE_S):
        while line not in (await http.get("/metrics")).text.splitlines():
            await asyncio.sleep(0.05)


async def short_token(database: asyncpg.Connection[Any], login: str) -> str:
    """Another access token of somebody's sign-in."""
    sign_in_id = await database.fetchval("SELECT sign_in_id FROM sign_in WHERE login = $1", login)
    return Tokens(KEY, access_s=LITTLE_S, refresh_s=60).access(SHOP, login, sign_in_id)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look after tokens all the time, and let nobody linger."""
    monkeypatch.setattr("workers.gateway.token_checks.CHECK_EVERY_S", 0.1)
    monkeypatch.setattr("workers.gateway.token_checks.LOOK_UP_EVERY", 1)
    monkeypatch.setattr("workers.gateway.event_routes.LINGER_S", 0.2)
    monkeypatch.setattr("workers.gateway.event_routes.ALIVE_EVERY_S", 0.5)


@pytest.fixture
def time_passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """When it is called, short tokens have ended, by the clock of who looks after them."""
    ahead_s = 0.0

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(seconds=ahead_s)

    def pass_() -> None:
        nonlocal ahead_s
        ahead_s = LITTLE_S

    monkeypatch.setattr("workers.gateway.token_checks.datetime", Clock)
    return pass_


@pytest.mark.servers
async def test_server_sent_events_resume_over_a_restart_of_the_gateway(
    settings: Settings, topics: dict[str, str], rows: asyncpg.Connection[Any]
) -> None:
    topic = topics["notifications"]
    async with AsyncExitStack() as others:
        async with gateway(settings) as http:
            own = await others.enter_async_context(httpx.AsyncClient(base_url=http.base_url, timeout=30.0))
            lan = Client(own, (await sign_in(http, "lan")).token)
            stream = await others.enter_async_context(events(lan))
            assert (await stream.next())[0] == "ready"
            await publish(settings, topic, [to("lan", 1), to("minh", 2), to("lan", 3)])
            assert sorted(await stream.numbers(2)) == [1, 3]
            began_s = asyncio.get_running_loop().time()
        # Who streams is told, and does not hold the gateway up until its patience is over.
        assert await stream.next() == ("closing", STOPPING._asdict())
        assert asyncio.get_running_loop().time() - began_s < GRACE_S
    await publish(settings, topic, [to("lan", 4), to("lan", 5)])
    async with gateway(settings) as http:
        lan = await sign_in(http, "lan")
        async with events(lan, stream.last_id) as again:
            assert sorted(await again.numbers(2)) == [4, 5]
            assert (await again.next())[0] == "ready"
            await publish(settings, topic, [to("lan", 6)])
            assert await again.numbers(1) == [6]


@pytest.mark.servers
async def test_server_sent_events_end_with_the_token_the_account_or_who_does_not_read(
    settings: Settings,
    topics: dict[str, str],
    rows: asyncpg.Connection[Any],
    time_passes: Callable[[], None],
) -> None:
    topic = topics["notifications"]
    async with gateway(settings, send_queue_bytes_max=16_384) as http:
        lan, minh = await sign_in(http, "lan"), await sign_in(http, "minh")
        short = Client(http, await short_token(rows, "lan"))
        async with events(short) as stream:
            assert [(await stream.next())[0] for _ in range(2)] == ["ready", "token_ends"]
            time_passes()
            assert await stream.next() == ("closing", TOKEN_ENDED._asdict())
        await publish(settings, topic, [to("lan", 1)])
        async with events(lan, stream.last_id) as stream:
            # What is on Kafka may not have been read yet: then it comes after `ready`.
            first = dict([await stream.next() for _ in range(2)])
            assert (set(first), first["message"]["number"]) == ({"message", "ready"}, 1)
            await accounts.set_active(rows, SHOP, "lan", active=False)
            assert await stream.next() == ("closing", TOKEN_ENDED._asdict())
        # Who reads nothing is cut off, and counts as present no more.
        address = urlsplit(str(http.base_url))
        slow = socket.create_connection((address.hostname, address.port))
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        slow.sendall(
            f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {minh.token}\r\n\r\n".encode()
        )
        await metric(http, 'tongdai_gateway_sockets{kind="sse"} 1.0')
        large = {"workspace": SHOP, "text": "x" * 200_000}
        await publish(settings, topic, [(MESSAGE, agent_key(SHOP, "minh"), large)] * 40)
        await metric(http, 'tongdai_gateway_sockets{kind="sse"} 0.0')
        await metric(http, 'tongdai_gateway_cut_total{code="4429"} 1.0')
        slow.close()


@pytest.mark.servers
async def test_a_socket_goes_on_with_a_new_token_and_ends_with_the_old_one_or_another_role(
    settings: Settings,
    topics: dict[str, str],
    rows: asyncpg.Connection[Any],
    time_passes: Callable[[], None],
) -> None:
    async with gateway(settings) as http:
        lan, minh = await sign_in(http, "lan"), await sign_in(http, "minh")
        short = Client(http, await short_token(rows, "lan"))
        async with short.signed_in() as left, short.signed_in() as renewed, lan.signed_in() as taken:
            for each in (left, renewed):
                assert [(await receive(each))["event"] for _ in range(2)] == ["ready", "token_ends"]
            await say(renewed, do="sign_in", token=lan.token)
            assert (await receive(renewed))["event"] == "renewed"
            await say(taken, do="sign_in", token=minh.token)
            assert await closed(taken) == TOKEN_ENDED
            time_passes()
            assert await closed(left) == TOKEN_ENDED
            await publish(settings, topics["notifications"], [to("lan", 1)])
            assert (await numbers(renewed, 1))[0] == [1]
            await rows.execute("UPDATE account SET role = 'page_admin' WHERE login = 'lan'")
            assert await closed(renewed) == TOKEN_ENDED
        await until(rows, "SELECT FROM audit WHERE actor = 'agent:shop/lan' AND call = 'ws'")
