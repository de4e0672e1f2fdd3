"""The few addresses that are asked thousands of times a second, before those that are looked for in a list.

Starlette's layers and its routing cost more than all that is done with a webhook.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from workers.channels.problem import internal_problem

METHODS = {"GET", "POST"}
Endpoint = Callable[[Request], Awaitable[Response]]


class ShortWay:
    """An ASGI application that knows some endpoints by their whole path, and leaves all else to another.

    Args:
        endpoints: for GET and POST; they start no answer of their own.
        others: for all other paths and methods, and for what is no request.
    """

    def __init__(self, endpoints: Mapping[str, Endpoint], others: ASGIApp) -> None:
        self._endpoints = endpoints
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one lifespan."""
        known = scope["type"] == "http" and scope["method"] in METHODS
        endpoint = self._endpoints.get(scope["path"]) if known else None
        if endpoint is None:
            await self._others(scope, receive, send)
            return
        try:
            response = await endpoint(Request(scope, receive))
        except Exception:
            await internal_problem()(scope, receive, send)
            raise  # uvicorn writes it to the log
        await response(scope, receive, send)
