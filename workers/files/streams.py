"""Files that are being given away: so many at once, so many to one address, none without end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from config.logging import get_logger

STREAMS_MAX = 1_000
STREAMS_OF_ADDRESS_MAX = 100
"""As many as browsers ask for at once over one connection; a company has one address."""
STREAM_S_MAX = 900.0
"""25 MB at 28 kB/s; who asks for ranges goes on after it."""
RETRY_AFTER_S = "2"

_log = get_logger(__name__)


class Streams:
    """Of one process."""

    def __init__(self, streams_max: int = STREAMS_MAX, of_address_max: int = STREAMS_OF_ADDRESS_MAX) -> None:
        self._streams_max = streams_max
        self._of_address_max = of_address_max
        self._open: Counter[str] = Counter()

    def check(self, address: str) -> None:
        """Raises HTTPException 503 when there is no room for one more."""
        if self._open.total() >= self._streams_max or self._open[address] >= self._of_address_max:
            sentence = "Too many files are being read. Ask again."
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, sentence, {"retry-after": RETRY_AFTER_S})

    @contextmanager
    def to(self, address: str) -> Iterator[None]:
        """Give one to an address. Raises HTTPException 503."""
        self.check(address)
        self._open[address] += 1
        try:
            yield
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]


class FileStream(StreamingResponse):
    """A file on its way to an address; cut off when it takes too long."""

    def __init__(
        self,
        streams: Streams,
        address: str,
        chunks: AsyncIterable[bytes],
        status: HTTPStatus,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(chunks, status, headers)
        self._streams = streams
        self._address = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. Raises HTTPException 503 before anything is sent."""
        with self._streams.to(self._address):
            try:
                async with asyncio.timeout(STREAM_S_MAX):
                    await super().__call__(scope, receive, send)
            except TimeoutError:
                _log.info("file_cut_off", effect="the connection is closed before its end")
