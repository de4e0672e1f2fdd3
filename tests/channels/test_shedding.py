"""Who is sent away at the head of his request, by a clock of our own and by a server that is blocked."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace
from typing import cast

import httpx
import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.channels.conftest import running, without_kafka
from tests.channels.webhooks import Signed, messenger, said
from tests.idle_time import in_idle_time
from workers.channels import bounded_http, shedding
from workers.channels.admission import REQUESTS_MAX
from workers.channels.server import StoppableServer, listen
from workers.channels.shedding import BEGUN_MAX, RETRY_AFTER_S, TICK_S, WAIT_MAX_S, Pressure, Shedding
from workers.channels.shedding_http import SheddingHttp

DEADLINE_S = 20.0
SOON_S = 0.3
HEAD = b"POST /v1/webhooks/messenger HTTP/1.1\r\nhost: x\r\n"

seconds = st.floats(0, 60, allow_nan=False)
pressures = st.builds(
    Pressure, st.integers(0, 2 * REQUESTS_MAX), st.integers(0, 2 * BEGUN_MAX), seconds, seconds
)


@given(pressures, pressures)
def test_whoever_is_taken_on_would_be_with_less_before_him_too(one: Pressure, other: Pressure) -> None:
    requests, begun = min(one.requests, other.requests), min(one.begun, other.begun)
    less = Pressure(requests, begun, min(one.waited_s, other.waited_s), min(one.late_s, other.late_s))
    assert not less.is_too_much or (one.is_too_much and other.is_too_much)


@given(st.integers(0, REQUESTS_MAX - BEGUN_MAX), st.integers(0, BEGUN_MAX - 1), seconds, seconds)
def test_with_room_it_is_the_wait_alone_that_decides(
    requests: int, begun: int, waited_s: float, late_s: float
) -> None:
    assert Pressure(requests, begun, waited_s, late_s).is_too_much == (late_s + waited_s > WAIT_MAX_S)
    assert Pressure(REQUESTS_MAX - begun, begun, waited_s, late_s).is_too_much
    assert Pressure(requests, BEGUN_MAX, waited_s, late_s).is_too_much


class World:
    """What a shedding looks at, and what it has counted."""

    def __init__(self) -> None:
        self.requests, self.waited_s, self.shed = 0, 0.0, 0
        self.shedding = Shedding(lambda: self.requests, lambda _: self.waited_s, self._count)

    def _count(self) -> None:
        self.shed += 1


def test_of_a_crowd_within_one_tick_no_more_are_taken_on_than_there_is_room_for() -> None:
    world = World()
    assert [world.shedding.sheds(0) for _ in range(BEGUN_MAX + 3)] == [False] * BEGUN_MAX + [True] * 3
    world.requests = REQUESTS_MAX - 1
    world.shedding.tick(TICK_S)
    assert [world.shedding.sheds(TICK_S) for _ in range(2)] == [False, True]
    assert world.shed == 4


async def test_a_loop_that_stood_still_is_noticed_before_and_after_it_has_ticked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, begun_s = World(), 100.0
    monkeypatch.setattr(shedding, "time", SimpleNamespace(monotonic=lambda: begun_s))
    watching = asyncio.create_task(world.shedding.run())
    await asyncio.sleep(0)
    assert not world.shedding.sheds(begun_s + TICK_S + WAIT_MAX_S / 2)
    assert world.shedding.sheds(begun_s + 2 * TICK_S + WAIT_MAX_S)
    world.shedding.tick(begun_s + 2 * TICK_S + WAIT_MAX_S)
    assert world.shedding.sheds(begun_s)
    world.shedding.tick(begun_s)
    assert not world.shedding.sheds(begun_s)
    watching.cancel()


def test_those_who_are_sent_away_are_told_different_times_to_come_again() -> None:
    one = World().shedding
    told = {
        int(one.answer(closes=False).partition(b"retry-after: ")[2].split(b"\r\n")[0]) for _ in range(500)
    }
    assert told == set(RETRY_AFTER_S)
    assert b"connection: close" in one.answer(closes=True)


async def _slowly(request: Request) -> Response:
    await request.body()
    await asyncio.sleep(SOON_S / 2)
    return PlainTextResponse("taken")


@asynccontextmanager
async def _serving(world: World) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a small server that sheds as this world says."""
    routes = [Route(path, _slowly, methods=["POST"]) for path in ("/v1/webhooks/messenger", "/elsewhere")]
    http = cast("type[SheddingHttp]", partial(SheddingHttp, world.shedding))
    config = uvicorn.Config(Starlette(routes=routes), http=http, lifespan="off", log_config=None)
    listener, stop = listen("ingress", "127.0.0.1", 0), asyncio.Event()
    task = asyncio.create_task(StoppableServer(config, stop).serve(sockets=[listener]))
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield reader, writer
    finally:
        writer.close()
        stop.set()
        await asyncio.wait_for(task, DEADLINE_S)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    size = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
    return int(head[9:12]), head + await reader.readexactly(size)


@in_idle_time
async def test_who_is_sent_away_is_answered_before_his_body_and_may_go_on_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounded_http, "HEAD_S", SOON_S)
    world = World()
    async with _serving(world) as (reader, writer):
        world.waited_s = 2 * WAIT_MAX_S
        writer.write(HEAD + b"content-length: 8\r\n\r\nbo")
        status, answer = await _answer(reader)
        assert (status, b"retry-after: " in answer) == (503, True)
        writer.write(b"dy----")
        await asyncio.sleep(2 * SOON_S)  # a connection at rest is kept: longer than a head may take
        world.waited_s = 0
        # What is sent behind a request that waits for its answer is not answered before it.
        writer.write((HEAD + b"content-length: 4\r\n\r\nbody") * 2)
        await asyncio.sleep(0)
        assert [(await _answer(reader))[0] for _ in range(2)] == [200, 200]
        world.waited_s = 2 * WAIT_MAX_S
        writer.write(HEAD.replace(b"/v1/webhooks/messenger", b"/elsewhere") + b"content-length: 0\r\n\r\n")
        assert (await _answer(reader))[0] == 200
        writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
        assert (await _answer(reader))[0] == 503
        assert await reader.read() == b""  # the rest did not come in time
    assert world.shed == 2


@pytest.mark.parametrize(
    "head",
    [HEAD + b"expect: 100-continue\r\n", HEAD.replace(b"1.1", b"1.0"), HEAD + b"connection: close\r\n"],
)
@in_idle_time
async def test_who_cannot_go_on_is_sent_away_for_good(head: bytes) -> None:
    world = World()
    world.requests = REQUESTS_MAX
    async with _serving(world) as (reader, writer):
        writer.write(head + b"content-length: 4\r\n\r\n")
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nconnection: close\r\n" in answer


async def test_those_whom_a_blocked_ingress_has_let_wait_are_sent_away_at_once() -> None:
    async with running(without_kafka(), WAIT_MAX_S) as client:
        await _are_sent_away_at_once(client)


async def _are_sent_away_at_once(client: httpx.AsyncClient) -> None:
    url, signed = client.base_url, messenger(said())
    head = "".join(f"{name}: {value}\r\n" for name, value in signed.headers.items()).encode()
    request = HEAD + head + b"content-length: %d\r\n\r\n" % len(signed.body) + signed.body
    await asyncio.sleep(2 * TICK_S)
    with socket.create_connection((url.host, url.port or 0)) as waiting:
        waiting.sendall(request)
        time.sleep(WAIT_MAX_S + TICK_S)  # noqa: ASYNC251 - the ingress shares this loop, and stands still with it
        answer = await asyncio.to_thread(waiting.recv, 4_096)
        assert b"urn:tongdai:problem:overloaded" in answer
        assert b"retry-after: " in answer
    assert "tongdai_ingress_shed_total 1.0" in (await client.get("/metrics")).text
    async with asyncio.timeout(DEADLINE_S):
        while await _reason(client, signed) != "urn:tongdai:problem:unpublished":
            pass  # until it has ticked in time again


async def _reason(client: httpx.AsyncClient, signed: Signed) -> object:
    answer = await client.post("/v1/webhooks/messenger", content=signed.body, headers=signed.headers)
    return answer.json()["type"]
