"""A request's body, as it came: the limit holds while it streams in, whatever its headers say."""

from __future__ import annotations

from starlette.requests import Request

from workers.channels.admission import Held
from workers.channels.deadline import Deadline
from workers.channels.problem import BodyTooLargeError, BodyTooSlowError

BODY_DEADLINE_S = 5.0
"""No platform waits longer for its answer than this."""

DRAIN_BYTES_MAX = 1_048_576
"""What is read beyond the limit and thrown away: closing at once would lose the answer too."""


class BodyReader:
    """Reads the bodies of all requests of one server."""

    def __init__(self) -> None:
        self._deadline = Deadline(BODY_DEADLINE_S)

    async def read(self, request: Request, held: Held, limit_bytes: int) -> bytes:
        """The raw body.

        Raises BodyTooLargeError, BodyTooSlowError, OverloadedError, or starlette's ClientDisconnect.
        """
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit_bytes + DRAIN_BYTES_MAX:
            raise _too_large(limit_bytes)
        try:
            with self._deadline.wait():
                return await _read(request, held, limit_bytes)
        except TimeoutError as error:
            seconds = self._deadline.seconds
            raise BodyTooSlowError(f"The body did not arrive within {seconds:g} s.") from error


async def _read(request: Request, held: Held, limit_bytes: int) -> bytes:
    """The body, or BodyTooLargeError."""
    chunks: list[bytes] = []
    size_bytes = 0
    async for chunk in request.stream():
        size_bytes += len(chunk)
        if size_bytes > limit_bytes + DRAIN_BYTES_MAX:
            break
        if size_bytes <= limit_bytes:
            held.add(len(chunk))
            chunks.append(chunk)
    if size_bytes > limit_bytes:
        raise _too_large(limit_bytes)
    return b"".join(chunks)


def _too_large(limit_bytes: int) -> BodyTooLargeError:
    return BodyTooLargeError(f"The body exceeds {limit_bytes} bytes.")
