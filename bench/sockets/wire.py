"""A WebSocket of a client that takes next to nothing of the machine on which the gateway is measured.

Frames are masked with zeros (RFC 6455 asks for a mask, not for a good one), so nothing has to be computed.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable, Mapping
from typing import cast

from bench.failures import BenchError

OPEN_DEADLINE_S = 30.0
_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA
_NO_MASK = bytes(4)


class Wire(asyncio.Protocol):
    """One connection; `on_text` gets each message as bytes, `on_end` why it ended.

    Args:
        headers: what the upgrade says beside what it must.
    """

    def __init__(
        self,
        host: str,
        path: str,
        on_text: Callable[[bytes], None],
        on_end: Callable[[str], None],
        headers: Mapping[str, str],
    ) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._host, self._path = host, path
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._on_text, self._on_end = on_text, on_end
        self._transport: asyncio.Transport | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: {self._host}\r\n{self._headers}Upgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        """Tell of it; harmless when a close frame did so before."""
        self._end(f"lost: {error!r}")

    def data_received(self, data: bytes) -> None:
        """Pass on the whole messages in it."""
        data = self._rest + data if self._rest else data
        if not self.opened.done():
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            if not head.startswith(b"HTTP/1.1 101 "):
                self._end(head.partition(b"\r\n")[0].decode(errors="replace"))
                return
            self.opened.set_result(None)
        self._rest = self._take(data)

    def send(self, text: bytes) -> None:
        """Send one message."""
        self._write(_TEXT, text)

    def _take(self, data: bytes) -> bytes:
        """Take the frames in `data`; returns what is not a whole one yet."""
        at, size = 0, len(data)
        while size - at >= 2:
            length, start = data[at + 1], at + 2
            if length >= 126:
                start += 2 if length == 126 else 8
                length = int.from_bytes(data[at + 2 : start])
            if size < start or size < start + length:
                break
            self._frame(data[at] & 0xF, data[start : start + length])
            at = start + length
        return data[at:]

    def _frame(self, opcode: int, payload: bytes) -> None:
        if opcode == _TEXT:
            self._on_text(payload)
        elif opcode == _PING:
            self._write(_PONG, payload)
        elif opcode == _CLOSE:
            reason = payload[2:].decode(errors="replace")
            self._end(f"closed with {int.from_bytes(payload[:2])}: {reason}")

    def _write(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2)
        if self._transport is not None:
            self._transport.write(bytes((0x80 | opcode,)) + length + _NO_MASK + payload)

    def _end(self, why: str) -> None:
        if not self.opened.done():
            self.opened.set_exception(BenchError(f"the gateway refused a socket: {why}"))
        on_end, self._on_end = self._on_end, lambda _: None
        on_end(why)


async def open_wire(
    host: str,
    port: int,
    path: str,
    on_text: Callable[[bytes], None],
    on_end: Callable[[str], None],
    headers: Mapping[str, str] | None = None,
) -> Wire:
    """An open WebSocket. Raises BenchError when it is refused, TimeoutError, OSError."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(OPEN_DEADLINE_S):
        _, wire = await loop.create_connection(
            lambda: Wire(f"{host}:{port}", path, on_text, on_end, headers or {}), host, port
        )
        await wire.opened
    return wire
