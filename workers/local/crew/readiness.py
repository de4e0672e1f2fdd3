"""Asks a worker on this machine whether it is ready."""

from __future__ import annotations

import asyncio

POLL_S = 0.05
ANSWER_TIMEOUT_S = 2.0
ANSWER_BYTES_MAX = 65_536


async def until_ready(host: str, port: int) -> None:
    """Return once `GET /readyz` there is answered 200; the deadline is the caller's."""
    while not await is_ready(host, port):  # noqa: ASYNC110 - another process, only to be asked
        await asyncio.sleep(POLL_S)


async def is_ready(host: str, port: int) -> bool:
    """Whether `/readyz` is answered 200 now; an HTTP client of its own would take longer to import."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            return b" 200 " in (await _ask(host, port)).partition(b"\r\n")[0]
    except (OSError, TimeoutError):
        return False


async def _ask(host: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return await reader.read(ANSWER_BYTES_MAX)
    finally:
        writer.close()
