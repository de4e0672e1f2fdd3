"""uvicorn's WebSocket, which can be cut off in the middle: a client that reads nothing cannot hold it."""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

CUT = "tongdai.cut"
LINGER_S = 3.0
"""So long the close frame may take to get through behind what the client has not read."""


class CuttableSocket(WebSocketsSansIOProtocol):
    """Puts `cut(code, reason)` into the scope's extensions; `send` waits for a client, `cut` does not."""

    async def run_asgi(self) -> None:
        """Run the application with the extension."""
        self.scope["extensions"] = {**(self.scope["extensions"] or {}), CUT: {"now": self.cut}}
        await super().run_asgi()

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
