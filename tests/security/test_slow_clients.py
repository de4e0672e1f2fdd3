"""Who asks slowly, without end, or does not read: those connections end, and others are served meanwhile.

Bodies that do not come: tests/channels/test_ingress.py. Sockets not read: tests/gateway/test_pushing.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect

from config.gateway import GatewaySettings
from config.settings import Settings
from tests.channels.conftest import running, with_ingress
from tests.idle_time import in_idle_time
from workers.channels import bounded_http
from workers.channels.bounded_http import HEAD_BYTES_MAX, BoundedHttp
from workers.channels.seldom import LOGGED_BURST, seldom_logger
from workers.channels.server import StoppableServer, listen
from workers.gateway import process as gateway_process
from workers.gateway.app import create_app
from workers.gateway.cutting import CuttableHttp, CuttableSocket
from workers.local.ports import free_port

DEADLINE_S = 20.0
SOON_S = 0.3
HTTP = [BoundedHttp, CuttableHttp]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience that a test can wait for."""
    monkeypatch.setattr(bounded_http, "HEAD_S", SOON_S)
    monkeypatch.setattr(bounded_http, "STALLED_S", SOON_S)


async def hello(_: Request) -> Response:
    return PlainTextResponse("hello")


async def late(request: Request) -> Response:
    """Takes longer than a head may: that is our own affair."""
    await request.body()
    await asyncio.sleep(2 * SOON_S)
    return PlainTextResponse("late")


class Endless:
    """An answer that never ends; `ended` once nobody is there to read it."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def answer(self, _: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 65_536
                    await asyncio.sleep(0)
            finally:
                self.ended.set()

        return StreamingResponse(parts())


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())


@asynccontextmanager
async def serving(
    http: type[BoundedHttp], endless: Endless | None = None, room: int | None = None
) -> AsyncIterator[int]:
    """A small server with this protocol; its port."""
    routes = [Route("/", hello), Route("/late", late, methods=["POST"]), WebSocketRoute("/ws", echo)]
    routes += [Route("/endless", endless.answer)] if endless else []
    config = uvicorn.Config(
        Starlette(routes=routes), http=http, ws=CuttableSocket, lifespan="off", log_config=None,
        timeout_graceful_shutdown=1, timeout_keep_alive=60, limit_concurrency=room,
    )  # fmt: skip
    listener, stop = listen("gateway", "127.0.0.1", 0), asyncio.Event()
    task = asyncio.create_task(StoppableServer(config, stop).serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        await asyncio.wait_for(task, DEADLINE_S)


async def answer(port: int, *parts: bytes, pause_s: float = 0.0) -> bytes:
    """All that is answered to these bytes, until the server ends the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    reading = asyncio.create_task(_read(reader))
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            if reading.done():
                break
            await asyncio.sleep(pause_s)
    except OSError:
        pass  # it was ended while we wrote
    try:
        return await asyncio.wait_for(reading, DEADLINE_S)
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    found = b""
    try:
        while part := await reader.read(65_536):
            found += part
    except OSError:
        pass  # reset
    return found


@pytest.mark.parametrize("http", HTTP)
@in_idle_time
async def test_who_does_not_ask_in_time_is_let_go_and_others_are_served(http: type[BoundedHttp]) -> None:
    async with serving(http) as port:
        drip = [b"GET / HTTP/1.1\r\n", *[b"x-a: b\r\n"] * 1_000]
        blanks = [b"\r\n"] * 1_000
        slow: list[Coroutine[Any, Any, bytes]] = [
            answer(port),
            answer(port, b"GET / HT"),
            answer(port, *drip, pause_s=SOON_S / 10),
            answer(port, *blanks, pause_s=SOON_S / 10),
            # The second request of a connection, after a first one that was answered.
            answer(port, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", *drip, pause_s=SOON_S / 10),
        ]
        waiting = [asyncio.create_task(one) for one in slow]
        good = await answer(port, b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert good.startswith(b"HTTP/1.1 200 ")
        *nothing, after_one = await asyncio.gather(*waiting)
        assert nothing == [b""] * 4
        assert after_one.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("http", HTTP)
@in_idle_time
async def test_for_whom_there_is_no_room_is_told_when_to_come_again(http: type[BoundedHttp]) -> None:
    request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    async with serving(http, room=2) as port:
        _, first = await asyncio.open_connection("127.0.0.1", port)
        refused = (await answer(port, request)).lower()
        assert refused.startswith(b"http/1.1 503 ")
        assert b"\r\nretry-after: 2\r\n" in refused
        first.close()
        async with asyncio.timeout(DEADLINE_S):
            while not (await answer(port, request)).startswith(b"HTTP/1.1 200 "):
                pass


@pytest.mark.parametrize("http", HTTP)
@in_idle_time
async def test_a_request_has_its_time_once_its_head_is_here(http: type[BoundedHttp]) -> None:
    async with serving(http) as port:
        head = b"POST /late HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\n"
        assert (await answer(port, head, b"body", pause_s=2 * SOON_S)).endswith(b"late")
        async with connect(f"ws://127.0.0.1:{port}/ws", compression=None) as socket:
            await asyncio.sleep(2 * SOON_S)
            await socket.send("still here")
            assert await socket.recv() == "still here"


CHUNKED = b"POST /late HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("http", HTTP)
@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"GET /", b"a" * 1_024),
        (b"GET / HTTP/1.1\r\n", b"x-more: and more\r\n" * 60),
        (b"GET / HTTP/1.1\r\nx-one: ", b"a" * 1_024),
        (CHUNKED + b"0\r\n", b"x-trailer: and more\r\n" * 50),
        (CHUNKED + b"1;", b"extension" * 100),
    ],
    ids=["path", "headers", "one header", "behind the body", "extension of a part"],
)
@in_idle_time
async def test_a_head_without_end_is_kept_no_further_than_its_limit(
    http: type[BoundedHttp], begin: bytes, more: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_http, "HEAD_S", DEADLINE_S)
    read: list[int] = []
    whole = http.data_received

    def counting(self: BoundedHttp, data: bytes) -> None:
        read.append(len(data))
        whole(self, data)

    monkeypatch.setattr(http, "data_received", counting)
    async with serving(http) as port:
        told = await answer(port, begin, *[more] * 20_000)
        assert told == b"" or told.startswith(b"HTTP/1.1 400 ")
    assert sum(read) < HEAD_BYTES_MAX + 2 * 262_144  # uvloop and asyncio read so much at once


@pytest.mark.parametrize("http", HTTP)
@in_idle_time
async def test_who_does_not_read_his_answer_is_let_go(http: type[BoundedHttp]) -> None:
    endless = Endless()
    async with serving(http, endless) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_024)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")
        await asyncio.wait_for(endless.ended.wait(), DEADLINE_S)
        writer.transport.abort()


async def test_ingress_and_gateway_serve_in_this_way() -> None:
    settings = Settings(gateway=GatewaySettings.model_validate({"signing_key": "k" * 32}))
    app = create_app(settings, lambda _: None)
    gateway = gateway_process._configuration(app, settings)
    assert (gateway.http, gateway.ws) == (CuttableHttp, CuttableSocket)
    assert gateway.limit_concurrency is not None
    assert 0 < gateway.timeout_keep_alive < 100
    kafka = {"bootstrap_servers": f"127.0.0.1:{free_port()}"}
    async with running(with_ingress(Settings.model_validate({"kafka": kafka}))) as client:
        assert await answer(client.base_url.port or 0, b"POST /v1/webhooks/messenger HT") == b""


def test_nonsense_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="tests.nonsense")  # whatever a command before this has set
    logger = seldom_logger("tests.nonsense")
    assert seldom_logger("tests.nonsense") is logger
    for number in range(1_000):
        logger.warning("Invalid HTTP request received.")
        logger.warning("another kind %d", number)
    logger.error("Exception in ASGI application\n")
    kinds = [record.msg for record in caplog.records if record.name == logger.name]
    assert len(kinds) == 2 * LOGGED_BURST + 1
