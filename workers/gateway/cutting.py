"""uvicorn's protocols, whose answers can be cut off in the middle: who reads nothing cannot hold them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from workers.channels.bounded_http import BoundedHttp

CUT, PUSH = "tongdai.cut", "tongdai.push"
LINGER_S = 3.0
"""So long the last words may take to get through behind what the client has not read."""


class CuttableSocket(WebSocketsSansIOProtocol):
    """Puts `cut(code, reason)` and `push(text)` into the scope's extensions; `send` waits, they do not."""

    async def run_asgi(self) -> None:
        """Run the application with the extensions."""
        own: dict[str, dict[object, object]] = {CUT: {"now": self.cut}, PUSH: {"now": self.push}}
        self.scope["extensions"] = {**(self.scope["extensions"] or {}), **own}
        await super().run_asgi()

    def push(self, text: str) -> bool:
        """Send at once, unless the client has to be waited for, or is gone: then nothing is sent."""
        if not self.writable.is_set() or self.close_sent or self.conn.state is not State.OPEN:
            return False
        if self.transport.is_closing():
            return False
        self.transport.write(_framed(text))
        return True

    def keepalive_timeout(self) -> None:
        """End a connection whose ping is not answered; not while it is we who do not read the answer."""
        if not self.read_paused:
            super().keepalive_timeout()
            return
        self.pong_timer = self.pending_ping_payload = None
        self.schedule_ping()

    def cut(self, code: int, reason: str) -> None:
        """Say why, and end the connection soon, whatever is in its buffers."""
        if self.transport.is_closing():
            return
        try:
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
        except InvalidState:
            pass  # a close frame was sent before
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(LINGER_S, self.transport.abort)


class CuttableHttp(BoundedHttp):
    """The same for answers that stream for ever: cut off, and told when the server stops."""

    def __init__(self, *args: Any, **named: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **named)
        self._on_stop: Callable[[], None] = _nothing

    def on_message_begin(self) -> None:
        """Begin a request with the extension."""
        super().on_message_begin()
        self.scope["extensions"] = {CUT: {"now": self.cut, "on_stop": self.on_stop}}

    def on_stop(self, call: Callable[[], None]) -> None:
        """Call this when the server stops: else it waits for the end of the answer."""
        self._on_stop = call

    def cut(self) -> None:
        """End the connection at once."""
        self.transport.abort()

    def shutdown(self) -> None:
        """Stop."""
        self._on_stop()
        super().shutdown()


@lru_cache(maxsize=8)
def _framed(text: str) -> bytes:
    """As a frame, made once for the thousand sockets that are told the same."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


def _nothing() -> None:
    """Do nothing."""
