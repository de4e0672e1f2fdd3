"""The rules about values: what the schema says, each of its errors under the rule that explains it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from config.topics import INBOUND
from workers.conformance.seen import EARLIEST_MS, Seen
from workers.conformance.verdict import Fault, Rule, Verdict, judge
from workers.runtime.batch import size_bytes
from workers.runtime.refusal import place
from workers.runtime.topology import MAX_BYTES

AHEAD_MS = 5 * 60 * 1000
"""As in the transcript: a message from later than that is marked."""

VALUE = Rule(
    "value",
    "the value is what its kind's JSON Schema says",
    "see docs/contract/schemas",
    "send a message",
)
FIELDS = Rule(
    "fields",
    "no field is there that the schema does not know",
    "leave it out, or put it into raw",
    "send a message",
)
TEXT = Rule(
    "text",
    "texts are UTF-8 without NUL and without half a surrogate pair",
    "take such characters out before you send",
    "send a message",
)
TIME = Rule(
    "time",
    "sent_at_ms is the channel's time in milliseconds since 1970, and not ahead",
    "give milliseconds of a clock that is right; leave it out when the channel tells none",
    "give sent_at_ms: without it a message's age is unknown",
)
SIZE = Rule(
    "size",
    f"key, value and headers are at most {MAX_BYTES[INBOUND.name]} bytes",
    "leave raw out, or the largest parts of it",
    "send a message",
)


def check_values(records: Sequence[Seen]) -> list[Verdict]:
    """All five rules."""
    known = [each for each in records if each.kind is not None]
    found: dict[Rule, list[Fault]] = {VALUE: [], FIELDS: [], TEXT: [], TIME: []}
    for each in known:
        for error in each.errors:
            found[_rule_of(each, error)].append(Fault(each.place, f"{place(error['loc'])}: {error['msg']}"))
    found[TIME] += _odd_times(known)
    large = [Fault(each.place, f"{_size(each)} bytes") for each in records if _is_large(each)]
    dated = [each for each in known if each.fields.get("sent_at_ms") is not None]
    return [
        *(judge(rule, len(known), found[rule]) for rule in (VALUE, FIELDS, TEXT)),
        judge(TIME, len(dated), found[TIME]),
        judge(SIZE, len(records), large),
    ]


def _rule_of(seen: Seen, error: ErrorDetails) -> Rule:
    if error["type"] == "extra_forbidden":
        return FIELDS
    if error["loc"][:1] == ("sent_at_ms",):
        return TIME
    return TEXT if _is_of_text(seen, error) else VALUE


def _is_of_text(seen: Seen, error: ErrorDetails) -> bool:
    """Whether the characters are at fault, and not what they say."""
    if error["type"] == "json_invalid":
        return "hex escape" in error["msg"] or not _is_utf8(seen.value)
    return "\x00" in str(_at(seen.fields, error["loc"]))


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _at(value: Any, path: Sequence[int | str]) -> Any:  # noqa: ANN401 - whatever stands there
    """What stands at `path`; none where it leads nowhere."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _odd_times(records: Sequence[Seen]) -> Iterator[Fault]:
    for each in records:
        sent_at_ms = each.sent_at_ms
        if sent_at_ms is None or any(error["loc"][:1] == ("sent_at_ms",) for error in each.errors):
            continue
        if 0 <= sent_at_ms < EARLIEST_MS:
            yield Fault(each.place, f"sent_at_ms {sent_at_ms}: seconds, it seems, and not milliseconds")
        elif each.timestamp_ms is not None and sent_at_ms > each.timestamp_ms + AHEAD_MS:
            ahead_s = (sent_at_ms - each.timestamp_ms) // 1000
            yield Fault(each.place, f"sent_at_ms is {ahead_s} s after the broker took it")


def _size(seen: Seen) -> int:
    return size_bytes(seen.key or b"", seen.value, seen.headers)


def _is_large(seen: Seen) -> bool:
    return _size(seen) > MAX_BYTES[INBOUND.name]
