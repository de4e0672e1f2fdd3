"""uvicorn's HTTP with limits: by itself it waits for requests' heads, and for readers, without end.

And of whom it refuses for want of room it says when to come again, which uvicorn does not.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from workers.channels.problem import CrowdedError, problem_response
from workers.channels.seldom import seldom_logger

HEAD_S = 10.0
"""So long a connection may take from its beginning, or a request's, to the end of the request's head."""
HEAD_BYTES_MAX = 65_536
"""Read in a row without the end of a head or a part of a body: heads, and what stands behind a body."""
STALLED_S = 30.0
"""So long who is answered may take nothing of what waits for him."""
CROWDED = problem_response(CrowdedError("There are too many connections. Send it again.", retry_after_s=2.0))


class BoundedHttp(HttpToolsProtocol):
    """Ends connections that are slow to ask, ask without end, or do not read their answers."""

    def __init__(self, *args: Any, **named: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **named)
        self.logger = seldom_logger(self.logger.name)
        self._fruitless_bytes = 0
        self._asks = True
        """Whether a request is to come, or has begun and is not here whole."""
        self._asking: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._app, self._room = self.app, self.limit_concurrency
        self.limit_concurrency = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._end_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read some; refuse what never comes to its end."""
        self._fruitless_bytes += len(data)
        super().data_received(data)
        if not self._goes_on():
            return
        if self._fruitless_bytes > HEAD_BYTES_MAX:
            self.send_400_response("The request's head is too large.")
        elif self._asks and (self.cycle is None or self.cycle.response_complete):  # type: ignore[redundant-expr]
            self._await_head()

    def on_message_begin(self) -> None:
        """Wait for the end of the head."""
        self._asks = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin the request: how long it takes from here on is the application's affair."""
        self._fruitless_bytes = 0
        self._end_waiting()
        self.app = self._app if self._has_room() else CROWDED
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._fruitless_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for nothing more of this request."""
        self._asks = False
        super().on_message_complete()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection on which nothing was asked: at once, for its last answer may never be read."""
        self.transport.abort()

    def pause_writing(self) -> None:
        """Give the client a while to read what it was answered."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(STALLED_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _has_room(self) -> bool:
        return self._room is None or max(len(self.connections), len(self.tasks)) < self._room

    def _goes_on(self) -> bool:
        """Whether it is still a connection, and does not speak WebSocket now."""
        return self.transport.get_protocol() is self and not self.transport.is_closing()

    def _await_head(self) -> None:
        if self._asking is None:
            self._asking = self.loop.call_later(HEAD_S, self.transport.abort)

    def _end_waiting(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None
