"""A socket whose ping is not answered ends, but not while its answer waits for the gateway to read it."""

from __future__ import annotations

import asyncio

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from tests.idle_time import in_idle_time
from workers.gateway.cutting import CuttableSocket

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: shop\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TEXT = b"\x81\x82\x00\x00\x00\x00hi"
"""A frame with the mask 0."""
PING_S = 0.02


class Wire(asyncio.Transport):
    """Keeps what the server does."""

    def __init__(self) -> None:
        super().__init__()
        self.pings = asyncio.Queue[bytes]()
        self.closed = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if data[:1] == b"\x89":
            self.pings.put_nowait(bytes(data[2:]))

    def is_closing(self) -> bool:
        return self.closed.is_set()

    def close(self) -> None:
        self.closed.set()

    def pause_reading(self) -> None:
        """The server reads no more for now."""

    def resume_reading(self) -> None:
        """The server reads on."""


async def _socket(may_read: asyncio.Event) -> tuple[CuttableSocket, Wire]:
    """A socket of an application that reads its second message only when it may."""

    async def application(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await may_read.wait()
        while (await receive())["type"] == "websocket.receive":
            pass

    configuration = uvicorn.Config(
        application, ws_ping_interval=PING_S, ws_ping_timeout=PING_S, log_config=None, lifespan="off"
    )
    configuration.load()
    protocol, wire = CuttableSocket(configuration, ServerState(), {}), Wire()
    protocol.connection_made(wire)
    protocol.data_received(UPGRADE)
    return protocol, wire


@in_idle_time
async def test_who_does_not_answer_pings_is_let_go() -> None:
    may_read = asyncio.Event()
    may_read.set()
    _, wire = await _socket(may_read)

    await asyncio.wait_for(wire.closed.wait(), 5)

    assert wire.pings.qsize() == 1


@in_idle_time
async def test_who_cannot_be_heard_is_kept_until_he_can() -> None:
    may_read = asyncio.Event()
    protocol, wire = await _socket(may_read)
    await wire.pings.get()
    protocol.data_received(TEXT)
    for _ in range(3):  # each the next try
        await asyncio.wait_for(wire.pings.get(), 5)
    assert not wire.closed.is_set()

    may_read.set()

    await asyncio.wait_for(wire.closed.wait(), 5)
