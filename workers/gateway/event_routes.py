"""Server-sent events: the notifications alone, for clients that cannot open a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Request
from starlette.responses import StreamingResponse

from config.logging import get_logger
from workers.channels.closing import Closing
from workers.gateway.asking import Bearer, Who, gateway_of, verify
from workers.gateway.connection import FAILED, STOPPING, Connection
from workers.gateway.cutting import CUT, LINGER_S
from workers.gateway.gateway import Gateway
from workers.gateway.positions import WORD_CHARS_MAX
from workers.gateway.problem import Responses, refusals, unavailable
from workers.runtime.postgres import DATABASE_ERRORS

router = APIRouter(tags=["events"])

ALIVE_EVERY_S = 15.0
ALIVE = ": alive\n\n"
ANSWERS: Responses = {
    200: {"content": {"text/event-stream": {}}, "description": "Events, each with the id to resume from."},
    **refusals(401, 422, 429, 503),
}

_log = get_logger(__name__)


@router.get("/events", operation_id="events", response_class=StreamingResponse, responses=ANSWERS)
async def events(
    request: Request,
    identity: Who,
    bearer: Bearer,
    last_event_id: Annotated[str | None, Header(max_length=WORD_CHARS_MAX)] = None,
) -> StreamingResponse:
    """The notifications of who asks, from `Last-Event-ID` on; they end when the token does."""
    gateway = gateway_of(request)
    if not gateway.is_serving or gateway.hub.full:
        raise unavailable("not_ready", "This gateway takes no more connections now. Try again.")
    token = bearer.credentials if bearer else ""
    until = (await verify(gateway, token)).until
    cutter = _Cutter(request)
    connection = Connection(identity, token, until, gateway.settings.send_queue_bytes_max, cutter.soon)
    cutter.on_stop(connection)
    streamed = _events(gateway, connection, last_event_id, cutter)
    return StreamingResponse(streamed, media_type="text/event-stream", headers={"connection": "close"})


class _Cutter:
    """Cuts off who does not read the last words either."""

    def __init__(self, request: Request) -> None:
        self._extension = request.scope["extensions"][CUT]
        self._timer: asyncio.TimerHandle | None = None

    def soon(self, _: Closing) -> None:
        self._timer = asyncio.get_running_loop().call_later(LINGER_S, self._extension["now"])

    def on_stop(self, connection: Connection) -> None:
        self._extension["on_stop"](lambda: connection.close(STOPPING))

    def ended(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


async def _events(
    gateway: Gateway, connection: Connection, last_event_id: str | None, cutter: _Cutter
) -> AsyncIterator[str]:
    with gateway.connected(connection, "sse"):
        joining = asyncio.create_task(_join(gateway, connection, last_event_id))
        try:
            async for text in _texts(connection):
                yield text
            if connection.closing is not None:
                yield f"event: closing\ndata: {orjson.dumps(connection.closing._asdict()).decode()}\n\n"
        finally:
            cutter.ended()
            joining.cancel()
            await asyncio.gather(joining, return_exceptions=True)


async def _join(gateway: Gateway, connection: Connection, last_event_id: str | None) -> None:
    try:
        await gateway.stream.join(connection, last_event_id)
    except DATABASE_ERRORS as error:
        _log.warning("events_failed", error=error)
        connection.close(FAILED)


async def _texts(connection: Connection) -> AsyncIterator[str]:
    """What is to be sent, and signs of life, until the connection ends."""
    while True:
        text: str | None = ALIVE
        with suppress(TimeoutError):
            async with asyncio.timeout(ALIVE_EVERY_S):
                event = await connection.next()
                text = None if event is None else _sse(event)
        if text is None:
            return
        yield text


def _sse(text: str) -> str:
    """The same event in the form of server-sent events; what has no id leaves the client's as it is."""
    event = orjson.loads(text)
    id_ = f"id: {event['id']}\n" if "id" in event else ""
    return f"{id_}event: {event['event']}\ndata: {orjson.dumps(event['data']).decode()}\n\n"
