"""A file from an address that others have chosen: from public hosts alone, its bytes as they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import aiohttp

from config.attachments import AttachmentsSettings
from workers.channels.fetching.progress import NotFetchedError, Reason, reason_of
from workers.files.refusal import FileRefusedError
from workers.outside.guard import RefusedAddressError, socket_factory

CHUNK_BYTES = 65_536
REDIRECTS_MAX = 3
_NOT_ALLOWED = (
    RefusedAddressError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
    aiohttp.TooManyRedirects,
)
HEADERS = {"user-agent": "tongdai-files/1", "accept": "*/*", "accept-encoding": "identity"}


class Downloads:
    """Args:
    session: whose connections are judged by the guard, also those to which it is redirected.
    bytes_max: of one file.
    """

    def __init__(self, session: aiohttp.ClientSession, bytes_max: int) -> None:
        self._session = session
        self._bytes_max = bytes_max

    async def chunks(self, url: str) -> AsyncGenerator[bytes]:
        """The file at `url`, which the taker counts. Raises NotFetchedError, FileRefusedError."""
        try:
            async with self._session.get(url, headers=HEADERS, max_redirects=REDIRECTS_MAX) as response:
                self._check(response)
                async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                    yield chunk
        except (NotFetchedError, FileRefusedError):
            raise
        # What libraries make of odd addresses, also of redirects, nobody has listed.
        except Exception as error:
            raise NotFetchedError(_reason(error)) from error

    def _check(self, response: aiohttp.ClientResponse) -> None:
        """Raises NotFetchedError, FileRefusedError."""
        if response.status != HTTPStatus.OK:
            raise NotFetchedError(reason_of(response.status))
        if (response.content_length or 0) > self._bytes_max:
            raise FileRefusedError("too_large", "The file is too large.")


@asynccontextmanager
async def open_downloads(settings: AttachmentsSettings) -> AsyncIterator[Downloads]:
    """Downloads, until the end of the block."""
    connector = aiohttp.TCPConnector(
        limit=settings.parallel_max,
        force_close=True,
        ttl_dns_cache=10,
        resolver=aiohttp.ThreadedResolver(),
        socket_factory=socket_factory(settings.fetch_networks),
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=settings.fetch_timeout_s, sock_connect=10, sock_read=20),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # a few bytes could become many
        trust_env=False,  # a proxy would connect where the guard does not look
        read_bufsize=CHUNK_BYTES,
    ) as session:
        yield Downloads(session, settings.file_bytes_max)


def _reason(error: Exception) -> Reason:
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    passing = isinstance(inner, aiohttp.ClientError | OSError) and not isinstance(inner, _NOT_ALLOWED)
    return "unreachable" if passing else "not_allowed"
