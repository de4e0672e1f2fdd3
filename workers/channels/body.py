"""A request's body, as it came: the limit holds while it streams in, whatever its headers say."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from workers.channels.admission import Held
from workers.channels.problem import BodyTooLargeError, BodyTooSlowError

BODY_DEADLINE_S = 5.0
"""No platform waits longer for its answer than this."""

DRAIN_BYTES_MAX = 1_048_576
"""What is read beyond the limit and thrown away: closing at once would lose the answer too."""


async def read_body(request: Request, held: Held, limit_bytes: int) -> bytes:
    """The raw body.

    Raises BodyTooLargeError, BodyTooSlowError, OverloadedError, or starlette's ClientDisconnect.
    """
    declared = request.headers.get("content-length", "")
    too_large = BodyTooLargeError(f"The body exceeds {limit_bytes} bytes.")
    if declared.isdecimal() and int(declared) > limit_bytes + DRAIN_BYTES_MAX:
        raise too_large
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            body = await _read(request, held, limit_bytes)
    except TimeoutError as error:
        raise BodyTooSlowError(f"The body did not arrive within {BODY_DEADLINE_S:g} s.") from error
    if body is None:
        raise too_large
    return body


async def _read(request: Request, held: Held, limit_bytes: int) -> bytes | None:
    """The body; none when it exceeds the limit."""
    chunks: list[bytes] = []
    size_bytes = 0
    async for chunk in request.stream():
        size_bytes += len(chunk)
        if size_bytes > limit_bytes + DRAIN_BYTES_MAX:
            return None
        if size_bytes <= limit_bytes:
            held.add(len(chunk))
            chunks.append(chunk)
    return b"".join(chunks) if size_bytes <= limit_bytes else None
