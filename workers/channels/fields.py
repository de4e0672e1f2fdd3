"""Fields of a channel's event, read leniently: what is not usable is none, and stays in `raw`."""

from __future__ import annotations

import hashlib
import math
import re
from datetime import date
from typing import Any

import orjson

from schemas.base import CHANNEL_MESSAGE_ID_CHARS_MAX, URL_CHARS_MAX, Json

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


def message_id(value: Json) -> str | None:
    """The id by which somebody outside knows what we have given him, as the schema takes it."""
    return cut(identifier(value), CHANNEL_MESSAGE_ID_CHARS_MAX)


def text(value: Json) -> str | None:
    """Text without NUL, which Postgres cannot hold."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else None


def cut(value: Json, chars_max: int) -> str | None:
    """Text without control characters, no longer than that; none when nothing is left."""
    return value.translate(_CONTROL).strip()[:chars_max] or None if isinstance(value, str) else None


def digest_id(what: str, event: Json) -> str:
    """An id for an event that has none: the same whenever it is delivered."""
    return f"{what}-{hashlib.sha256(orjson.dumps(event, option=orjson.OPT_SORT_KEYS)).hexdigest()}"


def name(value: Json) -> str | None:
    """A file's or place's name on one line, cut to what the schema takes."""
    return cut(value, NAME_CHARS_MAX)


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


def day(value: Json) -> str | None:
    """A day as `1994-05-17`, from that or from `17/05/1994`; none when it is no day."""
    parts = re.split(r"[-/.]", value.strip()) if isinstance(value, str) else []
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
        return None
    year, month, of_month = map(int, parts if len(parts[0]) == 4 else reversed(parts))
    try:
        return date(year, month, of_month).isoformat()
    except ValueError:
        return None


def degrees(value: Json) -> float | None:
    """A coordinate, from a number or its digits."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
