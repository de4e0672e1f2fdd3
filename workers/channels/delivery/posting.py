"""HTTP POST to a platform: its answer, or how far it came without one."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import httpx
import orjson

from config.delivery import DeliverySettings
from workers.channels.delivery.result import Failed, NotBegun, Unanswered

ANSWER_BYTES_MAX = 65_536
CONNECTIONS_MAX = 1_000
"""Of one client."""
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout)


class Answer(NamedTuple):
    """What came back. `body` is empty when it is no JSON object."""

    status: int
    body: dict[str, Any]
    headers: httpx.Headers


def open_client(settings: DeliverySettings) -> httpx.AsyncClient:
    """A client with its own connections; redirects are not followed, as they would carry the token away."""
    timeout = httpx.Timeout(
        settings.request_timeout_s, connect=settings.connect_timeout_s, pool=settings.connect_timeout_s
    )
    limits = httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=100)
    plain = {"accept-encoding": "identity"}  # a few bytes could become many
    return httpx.AsyncClient(timeout=timeout, limits=limits, headers=plain, trust_env=False)


async def post(
    client: httpx.AsyncClient,
    timeout_s: float,
    request: httpx.Request,
    *,
    bytes_max: int = ANSWER_BYTES_MAX,
) -> Answer | Unanswered | NotBegun | Failed:
    """Send `request`; all of it, the answer's body included, within `timeout_s`.

    Failed, NotBegun: it has not left. Unanswered: it may have arrived. The address is in none of them, for it
    may hold a token. An answer of more than `bytes_max` is none that can be read.
    """
    try:
        async with asyncio.timeout(timeout_s):
            response = await client.send(request, stream=True)
            try:
                body = await _body(response, bytes_max)
            finally:
                await response.aclose()
    except httpx.PoolTimeout:
        return NotBegun()
    except _NOT_SENT as error:
        return Failed("again", "channel_down", detail=type(error).__name__)
    except (httpx.TransportError, TimeoutError) as error:
        return Unanswered(type(error).__name__)
    return Answer(response.status_code, body, response.headers)


async def _body(response: httpx.Response, bytes_max: int) -> dict[str, Any]:
    found = bytearray()
    async for chunk in response.aiter_raw():
        found += chunk
        if len(found) > bytes_max:
            return {}
    try:
        document = orjson.loads(found)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}
