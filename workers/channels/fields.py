"""Fields of a channel's event, read leniently: what is not usable is none, and stays in `raw`."""

from __future__ import annotations

import math
from typing import Any

from schemas.base import URL_CHARS_MAX, Json

NAME_CHARS_MAX = 200
SENT_AT_MS_MAX = 253_402_300_799_999
_CONTROL = dict.fromkeys((*range(32), 127), " ")


def mapping(value: Json) -> dict[str, Any]:
    """`value` when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def identifier(value: Json) -> str | None:
    """An id as text: channels write them as strings, some of their examples as numbers."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def text(value: Json) -> str | None:
    """Text without NUL, which Postgres cannot hold."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else None


def name(value: Json) -> str | None:
    """A file's or place's name on one line, cut to what the schema takes."""
    if not isinstance(value, str):
        return None
    return value.translate(_CONTROL).strip()[:NAME_CHARS_MAX] or None


def url(value: Json) -> str | None:
    """An address that is one: without control characters, not longer than the schema takes."""
    if not isinstance(value, str) or not 0 < len(value) <= URL_CHARS_MAX:
        return None
    return value if value.translate(_CONTROL) == value else None


def milliseconds(value: Json) -> int | None:
    """Milliseconds since 1970, from a number or its digits; none before 1970 and after the year 9999."""
    digits = identifier(value)
    # 15 digits are the year 9999; more would only cost time to read.
    if digits is None or len(digits) > 15 or not (digits.isascii() and digits.isdigit()):
        return None
    moment = int(digits)
    return moment if moment <= SENT_AT_MS_MAX else None


def degrees(value: Json) -> float | None:
    """A coordinate, from a number or its digits."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
