"""One attempt over HTTP: to a public address, within its time, reading little."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp

from config.webhooks import WebhooksSettings
from workers.outside.guard import RefusedAddressError, socket_factory
from workers.outside.retry_after import read_retry_after
from workers.webhooks.event import CONTENT_TYPE
from workers.webhooks.signing import signed_headers
from workers.webhooks.verdict import Answer

ANSWER_BYTES_MAX = 4_096
WHY_CHARS_MAX = 200
KEEP_ALIVE_S = 30.0


class Sender:
    """Posts signed bodies."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, url: str, secrets: Sequence[str], id_: str, body: bytes) -> Answer:
        """Post once; whatever goes wrong is an answer."""
        began_s = time.monotonic()
        headers = {
            **signed_headers(secrets, id_, datetime.now(UTC), body),
            "content-type": CONTENT_TYPE,
            "user-agent": "tongdai-webhooks/1",
        }
        status, retry_after_s = None, None
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                status = response.status
                retry_after_s = read_retry_after(response.headers.get("retry-after"), datetime.now(UTC))
                await _pass_over(response)
            error = None if 200 <= status < 300 else _refusal(status)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as failure:
            error = _why(failure)
            status = None
        return Answer(status, error, retry_after_s, round((time.monotonic() - began_s) * 1000))


@asynccontextmanager
async def open_sender(settings: WebhooksSettings) -> AsyncIterator[Sender]:
    """A sender, until the end of the block."""
    connector = aiohttp.TCPConnector(
        limit=settings.endpoints_max * settings.parallel_max,
        limit_per_host=0,  # each endpoint has its own limit, and one must not wait for another of its host
        keepalive_timeout=KEEP_ALIVE_S,
        ttl_dns_cache=10,
        resolver=aiohttp.ThreadedResolver(),
        socket_factory=socket_factory(settings.allow_networks),
    )
    timeout = aiohttp.ClientTimeout(
        total=settings.request_timeout_s,
        connect=settings.connect_timeout_s,
        sock_connect=settings.connect_timeout_s,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # a few bytes could become many
        trust_env=False,  # a proxy would connect where the guard does not look
        read_bufsize=ANSWER_BYTES_MAX,
    ) as session:
        yield Sender(session)


async def _pass_over(response: aiohttp.ClientResponse) -> None:
    """Read the beginning of an answer, and keep nothing: it may repeat what a customer wrote.

    Who sends more has his connection closed, which ends it.
    """
    left_bytes = ANSWER_BYTES_MAX
    while left_bytes > 0:
        chunk = await response.content.read(left_bytes)
        if not chunk:
            return
        left_bytes -= len(chunk)
    response.close()


def _refusal(status: int) -> str:
    what = "redirects are not followed" if 300 <= status < 400 else "it was refused"
    return f"{what}: {status}"


def _why(failure: Exception) -> str:
    """In words; the address that was refused, if that was why."""
    inner = failure.os_error if isinstance(failure, aiohttp.ClientConnectorError) else failure
    if isinstance(inner, RefusedAddressError):
        return str(inner)
    if isinstance(failure, aiohttp.ClientConnectorDNSError):
        return "its host has no address"
    if isinstance(failure, TimeoutError | asyncio.TimeoutError):
        return "no answer in time"
    # Of an answer that is no HTTP the error quotes the bytes; those of the system name address and reason.
    name = type(failure).__name__
    return f"{name}: {failure}"[:WHY_CHARS_MAX] if isinstance(failure, OSError) else name
