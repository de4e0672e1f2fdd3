"""Whether an inbound record is readable, judged by the public contract alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, NamedTuple

import orjson

from checker.record import Json, LogRecord
from checker.rows import PageRow

CLOCK_TOLERANCE_MS = 5_000
"""A page that was registered around the record's time may or may not have been known to intake."""

_CHANNELS = {"messenger", "zalo", "web", "fchat"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SENT_AT_MAX_MS = 253_402_300_799_999
_COMMON = {"channel", "account", "user", "workspace", "sent_at_ms", "raw"}
_SAID = _COMMON | {"channel_message_id", "text", "attachments", "customer_name", "language"}
_FIELDS = {
    "message": _SAID,
    "postback": _SAID | {"payload"},
    "echo": _SAID | {"author", "author_id"},
    "other": _COMMON | {"event"},
}


class Verdict(Enum):
    """What must have become of a record."""

    READABLE = "readable"
    REFUSED = "refused"
    EITHER = "either"
    SKIPPED = "skipped"


class Judged(NamedTuple):
    """The verdict; for what may be stored also its parts. `why` tells why not."""

    verdict: Verdict
    why: str = ""
    what: str = ""
    value: Json = {}  # noqa: RUF012 - a default that nobody changes

    @property
    def page(self) -> str:
        return f"{self.value['channel']}:{self.value['account']}"


def judge(record: LogRecord, pages: Mapping[str, PageRow]) -> Judged:
    """Judge one record of inbound."""
    what = record.what("inbound")
    if what not in _FIELDS:
        return Judged(Verdict.REFUSED, "ce_type is missing or unknown")
    value, broken = _parsed(record.value)
    if value is None:
        return broken
    fault = _fault(what, value) or _key_fault(record, value)
    if fault:
        return Judged(Verdict.REFUSED, fault)
    return _by_page(
        Judged(Verdict.SKIPPED if what == "other" else Verdict.READABLE, "", what, value), record, pages
    )


def _by_page(judged: Judged, record: LogRecord, pages: Mapping[str, PageRow]) -> Judged:
    page = pages.get(judged.page)
    if page is None:
        return Judged(Verdict.REFUSED, "nobody has connected the page")
    if judged.value.get("workspace") not in (None, page.workspace):
        return Judged(Verdict.REFUSED, "the page is another workspace's")
    if page.reserved_at_ms + CLOCK_TOLERANCE_MS > record.timestamp_ms:
        return judged._replace(verdict=Verdict.EITHER)
    return judged


def _parsed(value: bytes | None) -> tuple[Json | None, Judged]:
    """The value as an object, or what is to be said of it.

    What one parser takes and another does not (NaN, huge numbers, deep nesting) is left to intake.
    """
    try:
        found = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        try:
            json.loads(value or b"")
        except ValueError:
            return None, Judged(Verdict.REFUSED, "the value is not JSON")
        except RecursionError:
            pass
        return None, Judged(Verdict.EITHER, "the value is JSON at the edge of the format")
    if not isinstance(found, dict):
        return None, Judged(Verdict.REFUSED, "the value is not an object")
    return found, Judged(Verdict.REFUSED)


def _key_fault(record: LogRecord, value: Json) -> str:
    expected = f"{value['channel']}:{value['account']}:{value['user']}".encode()
    return "" if record.key == expected else "the key is not that of the value"


def _fault(what: str, value: Json) -> str:
    """The first field that is not as the contract says; empty when all are."""
    unknown = value.keys() - _FIELDS[what]
    if unknown:
        return f"unknown field {min(unknown)}"
    for name, (required, fits) in _RULES[what].items():
        found = value.get(name)
        if (found is None and required) or (found is not None and not fits(found)):
            return f"{name} is missing or wrong"
        if found is None and name in value and name in _NEVER_NULL:
            return f"{name} is null"
    if what == "message" and not value.get("text") and not value.get("attachments"):
        return "it says nothing"
    return ""


def _text(low: int, high: int, forbidden: str = _CONTROL.pattern) -> Callable[[Any], bool]:
    pattern = re.compile(forbidden)
    return lambda found: isinstance(found, str) and low <= len(found) <= high and not pattern.search(found)


def _number(found: object) -> bool:
    return isinstance(found, (int, float)) and not isinstance(found, bool)


def _sent_at(found: object) -> bool:
    return isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= _SENT_AT_MAX_MS


def _attachments(found: object) -> bool:
    return isinstance(found, list) and len(found) <= 32 and all(map(_attachment, found))


def _attachment(found: object) -> bool:
    if not isinstance(found, dict) or found.keys() - _ATTACHMENT.keys() or "type" not in found:
        return False
    return all(
        fits(found[name]) or (found[name] is None and name != "type")
        for name, fits in _ATTACHMENT.items()
        if name in found
    )


_NUL = r"\x00"
_NEVER_NULL = {"attachments"}
_ATTACHMENT: dict[str, Callable[[Any], bool]] = {
    "type": _text(1, 40, r"(?!)"),
    "url": _text(1, 4_096),
    "name": _text(1, 200),
    "latitude": _number,
    "longitude": _number,
}
_Rules = dict[str, tuple[bool, Callable[[Any], bool]]]
_COMMON_RULES: _Rules = {
    "channel": (True, lambda found: isinstance(found, str) and found in _CHANNELS),
    "account": (True, _text(1, 128, r"[\x00-\x1f\x7f:]")),
    "user": (True, _text(1, 128)),
    "workspace": (False, lambda found: isinstance(found, str) and _SLUG.fullmatch(found) is not None),
    "sent_at_ms": (False, _sent_at),
}
_SAID_RULES: _Rules = _COMMON_RULES | {
    "channel_message_id": (True, _text(1, 512)),
    "text": (False, _text(0, 20_000, _NUL)),
    "attachments": (False, _attachments),
    "customer_name": (False, _text(1, 200)),
    "language": (False, _text(0, 20, r"(?!)")),
}
_RULES: dict[str, _Rules] = {
    "message": _SAID_RULES,
    "postback": _SAID_RULES | {"payload": (True, _text(0, 2_000, _NUL))},
    "echo": _SAID_RULES
    | {
        "author": (True, lambda found: isinstance(found, str) and found in {"bot", "human"}),
        "author_id": (False, _text(0, 128, _NUL)),
    },
    "other": _COMMON_RULES | {"event": (True, _text(1, 100, r"(?!)"))},
}
