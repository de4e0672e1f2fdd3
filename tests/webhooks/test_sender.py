"""One attempt over real HTTP: only 2xx counts, nothing is followed, little is read, time is kept."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from unittest.mock import Mock

import pytest
from aiohttp import web

from config.webhooks import WebhooksSettings
from tests.idle_time import in_idle_time
from workers.webhooks.sender import open_sender
from workers.webhooks.verdict import Answer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LOOPBACK = (ip_network("127.0.0.0/8"),)
asked: list[str] = []


@asynccontextmanager
async def receiver() -> AsyncIterator[str]:
    """Answers by its paths; the URL before them."""

    async def answer(request: web.Request) -> web.StreamResponse:
        path = request.path.strip("/")
        asked.append(path)
        if path.isdecimal():
            headers = {"location": "/200", "retry-after": "7", "set-cookie": "a=b"}
            return web.Response(status=int(path), text="Lỗi\nnhé\x00" + "x" * 500, headers=headers)
        if path == "cookies":
            return web.Response(status=500 if request.cookies else 204)
        if path == "silent":
            await asyncio.sleep(60)
        response = web.StreamResponse()
        await response.prepare(request)
        while path == "endless":
            await response.write(b"x" * 65_536)
        if path == "dripping":
            for _ in range(100):
                await response.write(b"x")
                await asyncio.sleep(0.1)
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def send(*paths: str, allowed: bool = True, timeout_s: float = 30.0) -> list[Answer]:
    settings = WebhooksSettings(allow_networks=LOOPBACK if allowed else (), request_timeout_s=timeout_s)
    async with receiver() as url, open_sender(settings) as sender:
        return [await sender.send(f"{url}/{path}", [SECRET], "id", b"{}") for path in paths]


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_2xx_is_delivered(status: int) -> None:
    (answer,) = await send(str(status))
    assert (answer.status, answer.error) == (status, None)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    asked.clear()
    (answer,) = await send(str(status))
    assert asked == [str(status)]
    assert answer.error is not None
    assert answer.error == f"redirects are not followed: {status}"


async def test_a_refusal_tells_its_status_and_for_how_long_to_wait_and_no_word_of_what_was_said() -> None:
    (answer,) = await send("503")
    assert answer.retry_after_s == 7.0
    assert answer.error == "it was refused: 503"


async def test_an_answer_that_is_no_http_is_not_repeated() -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nLan 0912 345 678\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with open_sender(WebhooksSettings(allow_networks=LOOPBACK)) as sender:
            told = await sender.send(f"http://127.0.0.1:{port}/", [SECRET], "id", b"{}")
    assert told.status is None
    assert told.error is not None
    assert "0912" not in told.error


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    endless, again = await send("endless", "200")
    assert (endless.error, again.error) == (None, None)
    assert endless.took_ms < 30_000


@pytest.mark.parametrize("path", ["silent", "dripping"])
@in_idle_time
async def test_who_takes_too_long_is_not_waited_for(path: str) -> None:
    began_s = asyncio.get_running_loop().time()
    (answer,) = await send(path, timeout_s=5.0)
    assert (answer.status, answer.error) == (None, "no answer in time")
    assert asyncio.get_running_loop().time() - began_s < 10


async def test_no_cookie_is_kept() -> None:
    _, answer = await send("200", "cookies")
    assert answer.error is None


async def test_an_inside_address_is_not_connected_to() -> None:
    asked.clear()
    (answer,) = await send("200", allowed=False)
    assert answer.error == "127.0.0.1 is no public address: nothing is sent there"
    assert not asked


async def test_nobody_there_is_an_answer_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Mock(side_effect=socket.gaierror(socket.EAI_NONAME, "nobody")))
    async with open_sender(WebhooksSettings(allow_networks=LOOPBACK)) as sender:
        refused = await sender.send("http://127.0.0.1:1/", [SECRET], "id", b"{}")
        unknown = await sender.send("http://nowhere.invalid/", [SECRET], "id", b"{}")
    assert refused.error is not None
    assert "Cannot connect" in refused.error
    assert unknown.error == "its host has no address"
