"""The WebSocket: signs in with its first message, then takes commands and gets notifications."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from config.logging import get_logger
from workers.channels.closing import MALFORMED, TOO_MANY, Closing
from workers.gateway.asking import verify
from workers.gateway.client_messages import SAID, SignIn
from workers.gateway.connection import FAILED, GONE, NOT_READY, NOT_SIGNED_IN, TOKEN_ENDED, Connection
from workers.gateway.cutting import CUT, PUSH
from workers.gateway.gateway import Gateway
from workers.gateway.origins import is_allowed
from workers.gateway.problem import ApiError, Noted
from workers.gateway.socket_acts import SocketActs
from workers.runtime.postgres import DATABASE_ERRORS

SIGN_IN_DEADLINE_S = 10.0

_log = get_logger(__name__)


async def socket(websocket: WebSocket) -> None:
    """Serve one socket until it ends."""
    gateway: Gateway = websocket.app.state.gateway
    if not is_allowed(
        websocket.headers.get("origin"), websocket.headers.get("host"), gateway.settings.origins
    ):
        gateway.audit.noted(Noted("origin"), _address(websocket), "ws")
        await websocket.close()  # before it is accepted: 403
        return
    await websocket.accept()
    with suppress(WebSocketDisconnect):
        if not gateway.is_serving:
            await _close(websocket, NOT_READY)
        elif gateway.hub.full:
            await _close(websocket, TOO_MANY)
        else:
            await _serve(gateway, websocket)


async def _serve(gateway: Gateway, websocket: WebSocket) -> None:
    signed_in = await _sign_in(gateway, websocket)
    if signed_in is None:
        return
    connection, last_event_id = signed_in
    with gateway.connected(connection, "ws"):
        writing = asyncio.create_task(_write(connection, websocket))
        acts = SocketActs(gateway, connection, _address(websocket))
        try:
            await gateway.stream.join(connection, last_event_id)
            await _read(connection, websocket, acts)
        except DATABASE_ERRORS as error:
            _log.warning("socket_failed", error=error)
            connection.close(FAILED)
        finally:
            acts.end()
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)


async def _sign_in(gateway: Gateway, websocket: WebSocket) -> tuple[Connection, str | None] | None:
    """Who it is, by the first message; none: the socket was closed."""
    try:
        async with asyncio.timeout(SIGN_IN_DEADLINE_S):
            said = SAID.validate_json(await websocket.receive_text())
    except TimeoutError:
        await _close(websocket, NOT_SIGNED_IN)
        return None
    except (ValidationError, KeyError):
        await _close(websocket, MALFORMED)
        return None
    if not isinstance(said, SignIn):
        await _close(websocket, NOT_SIGNED_IN)
        return None
    try:
        verified = await verify(gateway, said.token)
    except ApiError as error:
        gateway.audit.noted(error.noted, _address(websocket), "ws")
        await _close(websocket, TOKEN_ENDED if error.code == "unauthenticated" else NOT_READY)
        return None
    size_max = gateway.settings.send_queue_bytes_max
    push = websocket.scope["extensions"][PUSH]["now"]
    cutter = _cutter(websocket)
    connection = Connection(verified.identity, said.token, verified.until, size_max, cutter, push)
    return connection, said.last_event_id


async def _read(connection: Connection, websocket: WebSocket, acts: SocketActs) -> None:
    while connection.closing is None:
        try:
            said = SAID.validate_json(await websocket.receive_text())
        except (ValidationError, KeyError):
            connection.close(MALFORMED)
            return
        await acts.take(said)


async def _write(connection: Connection, websocket: WebSocket) -> None:
    """Send what waits, until the connection ends."""
    with suppress(WebSocketDisconnect, RuntimeError):  # RuntimeError: cut off while it was written to
        while (text := await connection.next()) is not None:
            await websocket.send_text(text)
    # Nobody takes what waits any more: who waits for room, or to hear something, is to end as well.
    connection.close(GONE)


async def _close(websocket: WebSocket, closing: Closing) -> None:
    await websocket.close(*closing)


def _cutter(websocket: WebSocket) -> Callable[[Closing], None]:
    cut = websocket.scope["extensions"][CUT]["now"]
    return lambda closing: cut(*closing)


def _address(websocket: WebSocket) -> str:
    return websocket.client.host if websocket.client else ""
