"""Whether an inbound record is readable, judged by the public contract alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from enum import Enum
from typing import Any, NamedTuple

import orjson

from checker.record import Json, LogRecord
from checker.rows import PageRow

CLOCK_TOLERANCE_MS = 5_000
"""A page that was registered around the record's time may or may not have been known to intake."""

UTTERANCES = {"message", "postback", "echo", "mail", "sms"}
"""What has a line of the transcript."""
_CHANNEL = re.compile(r"[a-z][a-z0-9-]{0,31}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_FILE = re.compile(r"[0-9a-f]{32}")
_SENT_AT_MAX_MS = 253_402_300_799_999
_GONE_MAX_MS = 31 * 24 * 60 * 60 * 1000


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
    if what is None or what not in _RULES:
        return Judged(Verdict.REFUSED, "ce_type is missing or unknown")
    value, broken = _parsed(record.value)
    if value is None:
        return broken
    fault = _fault(what, value) or _key_fault(record, value)
    if fault:
        return Judged(Verdict.REFUSED, fault)
    verdict = Verdict.READABLE if what in UTTERANCES else Verdict.SKIPPED
    return _by_page(Judged(verdict, "", what, value), record, pages)


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
    rules = _RULES[what]
    for name, found in value.items():
        rule = rules.get(name)
        if rule is None:
            return f"the field {name} is unknown"
        may_be_null = name not in _NEVER_NULL | _REQUIRED[what]
        if not (may_be_null if found is None else rule(found)):
            return f"the field {name} is wrong"
    if not value.keys() >= _REQUIRED[what]:
        return f"the field {min(_REQUIRED[what] - value.keys())} is missing"
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


def _truth(found: object) -> bool:
    return isinstance(found, bool)


def _edits(found: object) -> bool:
    return isinstance(found, int) and not isinstance(found, bool) and 1 <= found <= 1_000_000


def _gone(found: object) -> bool:
    return isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= _GONE_MAX_MS


def _ticket(found: object) -> bool:
    return isinstance(found, int) and not isinstance(found, bool) and 1 <= found < 2**31


def _date(found: object) -> bool:
    try:
        return isinstance(found, str) and date.fromisoformat(found).isoformat() == found
    except ValueError:
        return False


def _referral(found: object) -> bool:
    if not isinstance(found, dict) or found.keys() - _REFERRAL.keys():
        return False
    return all(each is None or _REFERRAL[name](each) for name, each in found.items())


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
_Rules = dict[str, Callable[[Any], bool]]
_ATTACHMENT: _Rules = {
    "type": _text(1, 40),
    "url": _text(1, 4_096),
    "name": _text(1, 200),
    "latitude": _number,
    "longitude": _number,
    "file": lambda found: isinstance(found, str) and _FILE.fullmatch(found) is not None,
}
_COMMON: _Rules = {
    "channel": lambda found: isinstance(found, str) and _CHANNEL.fullmatch(found) is not None,
    "account": _text(1, 128, r"[\x00-\x1f\x7f:]"),
    "user": _text(1, 128),
    "workspace": lambda found: isinstance(found, str) and _SLUG.fullmatch(found) is not None,
    "sent_at_ms": _sent_at,
    "raw": lambda _: True,
}
_REFERRAL: _Rules = {
    "source": _text(0, 100, _NUL),
    "ref": _text(0, 2_000, _NUL),
    "ad_id": _text(0, 128, _NUL),
    "title": _text(1, 200),
}
_INTRODUCED: _Rules = _COMMON | {
    "customer_name": _text(1, 200),
    "customer_picture": _text(1, 4_096),
    "referral": _referral,
}
_SAID: _Rules = _INTRODUCED | {
    "channel_message_id": _text(1, 512),
    "text": _text(0, 20_000, _NUL),
    "attachments": _attachments,
    "language": _text(0, 20, r"(?!)"),
    "standby": _truth,
    "history": _truth,
}
_RULES: dict[str, _Rules] = {
    "message": _SAID | {"payload": _text(0, 2_000, _NUL)},
    "postback": _SAID | {"payload": _text(0, 2_000, _NUL)},
    "echo": _SAID
    | {
        "author": lambda found: isinstance(found, str) and found in {"bot", "human"},
        "author_id": _text(0, 128, _NUL),
        "marker": _text(0, 1_000, _NUL),
    },
    "mail": _SAID | {"ticket": _ticket, "sender": _text(0, 320, _NUL), "subject": _text(0, 500, _NUL)},
    "sms": _SAID | {"ticket": _ticket, "sender": _text(0, 320, _NUL)},
    "reaction": _COMMON
    | {
        "of": _text(1, 512),
        "by": lambda found: isinstance(found, str) and found in {"customer", "page"},
        "emoji": _text(1, 64),
    },
    "edit": _COMMON | {"of": _text(1, 512), "text": _text(0, 20_000, _NUL), "number": _edits},
    "profile": _INTRODUCED
    | {
        "name": _text(1, 200),
        "phone": _text(1, 40),
        "phone_verified": _truth,
        "email": _text(1, 254),
        "birthday": _date,
        "gender": lambda found: isinstance(found, str) and found in {"female", "male", "other"},
        "address": _text(1, 500, _NUL),
        "follows": _truth,
    },
    "left": _COMMON | {"gone_ms": _gone},
    "returned": _COMMON,
    "other": _COMMON | {"event": _text(1, 100, r"(?!)")},
}
_WHO = {"channel", "account", "user"}
_REQUIRED = {
    "message": _WHO | {"channel_message_id"},
    "postback": _WHO | {"channel_message_id", "payload"},
    "echo": _WHO | {"channel_message_id", "author"},
    "mail": _WHO | {"channel_message_id", "ticket", "sender"},
    "sms": _WHO | {"channel_message_id", "ticket", "sender"},
    "reaction": _WHO | {"of"},
    "edit": _WHO | {"of", "text"},
    "profile": _WHO,
    "left": _WHO | {"gone_ms"},
    "returned": _WHO,
    "other": _WHO | {"event"},
}
_NEVER_NULL = {"attachments", "standby", "history", "phone_verified", "by", "number", "subject"}
"""Of what need not be there."""
