"""Where a page of a list ended, as text that a client brings back: keyset pagination."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from workers.gateway.problem import ApiError, invalid

CURSOR_CHARS_MAX = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MOMENT_BYTES = 8
_BYTES = _MOMENT_BYTES + 16


class Cursor(NamedTuple):
    """The last conversation of a page: its last interaction, and its id for those of one moment."""

    at: datetime
    id: UUID


def write(cursor: Cursor) -> str:
    """The cursor as text."""
    moment = (cursor.at - _EPOCH) // _MICROSECOND
    return urlsafe_b64encode(moment.to_bytes(_MOMENT_BYTES, "big", signed=True) + cursor.id.bytes).decode()


def read(text: str) -> Cursor:
    """What was written. Raises ApiError when it was not written here."""
    try:
        content = urlsafe_b64decode(text.encode())
        moment = int.from_bytes(content[:_MOMENT_BYTES], "big", signed=True)
        at = _EPOCH + moment * _MICROSECOND
    except (binascii.Error, ValueError, OverflowError) as error:
        raise _wrong() from error
    if len(content) != _BYTES:
        raise _wrong()
    return Cursor(at, UUID(bytes=content[_MOMENT_BYTES:]))


def _wrong() -> ApiError:
    return invalid([{"loc": ("query", "after"), "msg": "is no cursor of this list"}])
