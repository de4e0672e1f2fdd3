"""TLS before a PostgreSQL that was built without it, negotiated as a real one does; the only way in."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.security.certificates import Issued
from workers.local.ports import LOOPBACK

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""Source: PostgreSQL's frontend/backend protocol, SSLRequest."""


@asynccontextmanager
async def tls_front(files: Issued, port: int) -> AsyncIterator[int]:
    """Where clients connect in place of `port`; they must ask for TLS first, or are cut off."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    talks: set[asyncio.Task[None]] = set()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        task.add_done_callback(talks.discard)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                if await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST:
                    writer.write(b"S")
                    await writer.drain()
                    await writer.start_tls(context)
                    await _talk(reader, writer, port)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(take, LOOPBACK, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    behind, onward = await asyncio.open_connection(LOOPBACK, port)
    ways = (asyncio.create_task(_pass(reader, onward)), asyncio.create_task(_pass(behind, writer)))
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        onward.transport.abort()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await reader.read(65_536):
            writer.write(part)
            await writer.drain()
