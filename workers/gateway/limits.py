"""What one address may take: requests, and bytes of a body, before anything is made of them."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config.gateway import GatewaySettings
from workers.channels.rate_limit import RateLimit
from workers.gateway.problem import too_many

BODY_DEADLINE_S = 10.0
FILES = "/files"
"""Behind such a path a file is taken, within limits of its own."""
UNLIMITED = frozenset({"/healthz", "/readyz", "/metrics"})
HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


class Limits:
    """Middleware: refuses an address that asks, or opens sockets, too often; bodies too large or too slow."""

    def __init__(self, app: ASGIApp, settings: GatewaySettings) -> None:
        self._app = app
        self._body_bytes_max = settings.message_bytes_max
        self._rate = RateLimit(settings.address_rate_per_s, settings.address_rate_burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is within the limits."""
        if scope["type"] == "lifespan" or scope["path"] in UNLIMITED:
            await self._app(scope, receive, send)
            return
        wait_s = self._rate.take((scope["client"] or ("",))[0], time.monotonic())
        if wait_s:
            refusal = too_many("This address sends too many requests.", wait_s)
            await refusal.response()(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        if not (scope["method"] == "POST" and scope["path"].endswith(FILES)):
            receive = _Body(receive, self._body_bytes_max).receive
        await self._app(scope, receive, _with_headers(send))


class _Body:
    """A body as it streams in."""

    def __init__(self, receive: Receive, bytes_max: int) -> None:
        self._receive = receive
        self._left_bytes = bytes_max
        self._deadline_s = time.monotonic() + BODY_DEADLINE_S
        self._whole = False

    async def receive(self) -> Message:
        """The next part. Raises HTTPException when it is too large or too slow."""
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout(self._deadline_s - time.monotonic()):
                message = await self._receive()
        except TimeoutError as error:
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive in time.") from error
        self._left_bytes -= len(message.get("body", b""))
        if self._left_bytes < 0:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")
        self._whole = not message.get("more_body", False)
        return message


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {name for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(one for one in HEADERS if one[0] not in known)]
        await send(message)

    return sending
