"""A visitor's socket: who he is by his first words, then what he says and what he is told."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from config.logging import get_logger
from workers.channels.closing import MALFORMED, TOO_MANY, Closing
from workers.channels.website.acts import Acts
from workers.channels.website.connection import NOT_READY, NOT_STARTED, NOT_VERIFIED, UNKNOWN_PAGE, Tab
from workers.channels.website.identity import NotVerifiedError
from workers.channels.website.reception import Joined
from workers.channels.website.said import SAID, Start
from workers.channels.website.website import Website
from workers.runtime.postgres import DATABASE_ERRORS

START_DEADLINE_S = 10.0
ABORT = "tongdai.abort"
REASON_CHARS_MAX = 100
"""A close frame holds 123 bytes."""

_log = get_logger(__name__)


class VisitorSocket(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which can end a connection that does not read: `abort`, an extension."""

    async def run_asgi(self) -> None:
        """Run the application with the extension."""
        own: dict[str, dict[object, object]] = {ABORT: {"now": self.transport.abort}}
        self.scope["extensions"] = {**(self.scope["extensions"] or {}), **own}
        await super().run_asgi()


class VisitorEndpoint:
    """Takes the sockets of a website channel's visitors."""

    def __init__(self, website: Website) -> None:
        self._website = website

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one socket until it ends."""
        address = websocket.client.host if websocket.client else ""
        site, origin = websocket.path_params["site"], websocket.headers.get("origin")
        if self._website.gate.refusal(site, origin, address, time.monotonic()) is not None:
            await websocket.close()  # before it is accepted: 403
            return
        await websocket.accept()
        with suppress(WebSocketDisconnect, RuntimeError):  # RuntimeError: cut off while it was written to
            await _serve(self._website, websocket, address)


async def _serve(website: Website, websocket: WebSocket, address: str) -> None:
    joined = await _admit(website, websocket, address)
    if isinstance(joined, Joined) and not website.hub.add(joined.tab, address):
        joined = TOO_MANY
    if isinstance(joined, Closing):
        await websocket.close(*joined)
        return
    tab = joined.tab
    with website.present(tab):
        tab.send("started", **joined.started)
        website.teller.wake((tab.conversation,))
        await _talk(website, tab, websocket, address)


async def _admit(website: Website, websocket: WebSocket, address: str) -> Joined | Closing:
    """Who has come, or why the socket is to be closed; an address may be blocked while he says who he is."""
    site = websocket.path_params["site"]
    if not website.hub.has_room(address):
        return TOO_MANY
    joined = await website.gate.closed_to(site, address) or await _start(website, websocket)
    return joined if isinstance(joined, Closing) else await website.gate.closed_to(site, address) or joined


async def _start(website: Website, websocket: WebSocket) -> Joined | Closing:
    """Who has come, or why the socket is to be closed."""
    abort = websocket.scope["extensions"][ABORT]["now"]
    try:
        async with asyncio.timeout(START_DEADLINE_S):
            said = SAID.validate_json(await websocket.receive_text())
    except (ValidationError, KeyError):
        return MALFORMED
    except TimeoutError:
        return NOT_STARTED
    if not isinstance(said, Start):
        return MALFORMED
    try:
        return await website.reception.join(websocket.path_params["site"], said, abort) or UNKNOWN_PAGE
    except NotVerifiedError as error:
        website.metrics.refused.labels("web", "not_verified").inc()
        return NOT_VERIFIED._replace(reason=str(error)[:REASON_CHARS_MAX])
    except DATABASE_ERRORS as error:
        _log.warning("visitor_waits_for_postgres", error=error)
        return NOT_READY


async def _talk(website: Website, tab: Tab, websocket: WebSocket, address: str) -> None:
    """Take what is said and send what is to be told, until one of them ends."""
    reading = asyncio.create_task(_read(Acts(website, tab, address), websocket))
    writing = asyncio.create_task(_write(tab, websocket))
    try:
        await asyncio.wait((reading, writing), return_when=asyncio.FIRST_COMPLETED)
    finally:
        writing.cancel()
        reading.cancel()
        await asyncio.gather(reading, writing, return_exceptions=True)
    if tab.closing:
        await websocket.close(*tab.closing)
        return
    ended = reading if not reading.cancelled() else writing
    try:
        ended.result()
    except (ValidationError, KeyError):
        website.metrics.refused.labels("web", "malformed").inc()
        await websocket.close(*MALFORMED)


async def _read(acts: Acts, websocket: WebSocket) -> None:
    while True:
        await acts.take(SAID.validate_json(await websocket.receive_text()))


async def _write(tab: Tab, websocket: WebSocket) -> None:
    while (text := await tab.next()) is not None:
        await websocket.send_text(text)
