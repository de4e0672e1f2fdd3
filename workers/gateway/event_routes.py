"""Server-sent events: the notifications alone, for clients that cannot open a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Request
from starlette.responses import StreamingResponse

from workers.gateway.asking import Bearer, Who, gateway_of, verify
from workers.gateway.connection import Connection
from workers.gateway.gateway import Gateway
from workers.gateway.positions import WORD_CHARS_MAX
from workers.gateway.problem import Problem, unavailable

router = APIRouter(tags=["events"])

ALIVE_EVERY_S = 15.0
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "Events, each with the id to resume from."},
    **{status: {"model": Problem} for status in (401, 429, 503)},
}


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
    connection = Connection(identity, token, until, gateway.settings.send_queue_bytes_max, lambda _: None)
    return StreamingResponse(_events(gateway, connection, last_event_id), media_type="text/event-stream")


async def _events(gateway: Gateway, connection: Connection, last_event_id: str | None) -> AsyncIterator[str]:
    with gateway.connected(connection, "sse"):
        joining = asyncio.create_task(gateway.stream.join(connection, last_event_id))
        try:
            while True:
                try:
                    async with asyncio.timeout(ALIVE_EVERY_S):
                        text = await connection.next()
                except TimeoutError:
                    yield ": alive\n\n"
                    continue
                if text is None:
                    break
                yield _sse(text)
            if connection.closing is not None:
                yield f"event: closing\ndata: {orjson.dumps(connection.closing._asdict()).decode()}\n\n"
        finally:
            joining.cancel()
            await asyncio.gather(joining, return_exceptions=True)


def _sse(text: str) -> str:
    """The same event in the form of server-sent events."""
    event = orjson.loads(text)
    data = orjson.dumps(event["data"]).decode()
    return f"id: {event['id']}\nevent: {event['event']}\ndata: {data}\n\n"
