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
EXCERPT_CHARS_MAX = 200
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
                said = await _read_little(response)
            error = None if 200 <= status < 300 else _refusal(status, said)
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


async def _read_little(response: aiohttp.ClientResponse) -> bytes:
    """The beginning of an answer; who sends more has his connection closed, which ends it."""
    said = b""
    while len(said) < ANSWER_BYTES_MAX:
        chunk = await response.content.read(ANSWER_BYTES_MAX - len(said))
        if not chunk:
            return said
        said += chunk
    response.close()
    return said


def _refusal(status: int, said: bytes) -> str:
    text = "".join(one if one.isprintable() else " " for one in said.decode(errors="replace"))
    excerpt = text.strip()[:EXCERPT_CHARS_MAX]
    what = "redirects are not followed" if 300 <= status < 400 else "it was refused"
    return f"{what}: {status}" + (f", {excerpt}" if excerpt else "")


def _why(failure: Exception) -> str:
    """In words; the address that was refused, if that was why."""
    inner = failure.os_error if isinstance(failure, aiohttp.ClientConnectorError) else failure
    if isinstance(inner, RefusedAddressError):
        return str(inner)
    if isinstance(failure, aiohttp.ClientConnectorDNSError):
        return "its host has no address"
    if isinstance(failure, TimeoutError | asyncio.TimeoutError):
        return "no answer in time"
    return f"{type(failure).__name__}: {failure}"[:EXCERPT_CHARS_MAX]
