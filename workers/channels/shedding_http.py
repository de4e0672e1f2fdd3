"""The ingress's HTTP: webhooks that could not be answered in time are answered at their heads."""

from __future__ import annotations

import asyncio
import time
from typing import Any, cast

from workers.channels.bounded_http import BoundedHttp
from workers.channels.joined_writes import JoinedWrites
from workers.channels.shedding import Shedding

WEBHOOKS = b"/v1/webhooks/"


class SheddingHttp(BoundedHttp):
    """Sends webhooks away before their bodies are read, and without the application."""

    def __init__(self, shedding: Shedding, *args: Any, **named: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **named)
        self._shedding = shedding
        self._shed = False
        """The request that is being read was answered at its head: the rest of it is skipped."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, and to join what is written."""
        self._writes = JoinedWrites(transport, self.loop)
        super().connection_made(cast("asyncio.Transport", self._writes))

    def handle_websocket_upgrade(self) -> None:
        """Leave the transport itself to the socket, whose messages are written whole."""
        self._writes.send()
        self.transport = self._writes.transport
        super().handle_websocket_upgrade()

    def on_headers_complete(self) -> None:
        """Begin the request, or answer it."""
        if self.url.startswith(WEBHOOKS) and self._is_next() and self._shedding.sheds(time.monotonic()):
            self._send_away()
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body, or skip it: it has as long to come as a head has."""
        if self._shed:
            self._fruitless_bytes = 0
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Be ready for the next request when this one was answered before."""
        if not self._shed:
            super().on_message_complete()
            return
        self._shed, self._asks = False, False
        self._end_waiting()
        self.on_response_complete()

    def _is_next(self) -> bool:
        """Whether all that was asked before on this connection is answered."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

    def _send_away(self) -> None:
        # Who waits for 100 Continue may never send the body.
        closes = self.expect_100_continue or not self.parser.should_keep_alive()
        self._shed = True
        self._fruitless_bytes = 0
        self.transport.write(self._shedding.answer(closes=closes))
        if closes:
            self.transport.close()
