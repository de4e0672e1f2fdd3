"""A client that is gone without a word: nobody waits for it to read what waits for it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest
from starlette.websockets import WebSocket, WebSocketDisconnect

from workers.channels.closing import Closing
from workers.gateway.connection import GONE, Connection
from workers.gateway.identity import Identity
from workers.gateway.socket import _read, _write
from workers.gateway.socket_acts import SocketActs

LAN = Identity("shop", "agent", "lan", "lan")
BYTES_MAX = 1_000


class Gone:
    """A socket whose client is gone: it takes nothing, and says nothing that can be received."""

    async def send_text(self, _: str) -> None:
        raise WebSocketDisconnect(code=1006)

    async def receive_text(self) -> str:
        pytest.fail("nobody may listen to it any more")


async def test_what_was_missed_is_sent_no_more_and_the_connection_ends() -> None:
    cut: list[Closing] = []
    connection = Connection(LAN, "", None, BYTES_MAX, cut.append)
    for _ in range(3):
        connection.send("x" * 300)
    socket = cast("WebSocket", Gone())
    async with asyncio.timeout(5):
        await asyncio.gather(connection.until_room(), _write(connection, socket))
    await _read(connection, socket, cast("SocketActs", SimpleNamespace()))
    assert cut == [GONE]
