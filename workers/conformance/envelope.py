"""The rules about headers: a CloudEvent of a kind that inbound has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from schemas.catalogue import RECORDS
from workers.conformance.seen import TOPIC, Seen
from workers.conformance.verdict import Fault, Rule, Verdict, judge

HEADERS = Rule(
    "headers",
    "the headers make a CloudEvent 1.0 in binary mode, with an id of its own",
    "send ce_specversion 1.0, ce_id, ce_source, ce_type, and content-type application/json",
    "send a message",
)
TYPE = Rule(
    "type",
    "ce_type names a kind of record that inbound has",
    "send one of " + ", ".join(kind.ce_type for kind in RECORDS if kind.topic == TOPIC),
    "send a message",
)
NEEDED = ("ce_id", "ce_source", "ce_type")


def check_envelope(records: Sequence[Seen]) -> list[Verdict]:
    """Both rules."""
    faults = [*_unmarked(records), *_same_ids(records)]
    strange = [
        Fault(each.place, f"ce_type is {each.header('ce_type')!r}") for each in records if not each.kind
    ]
    return [judge(HEADERS, len(records), faults), judge(TYPE, len(records), strange)]


def _unmarked(records: Sequence[Seen]) -> Iterator[Fault]:
    for each in records:
        missing = [name for name in NEEDED if not each.header(name)]
        if missing:
            yield Fault(each.place, f"has no {', '.join(missing)}")
        elif each.header("ce_specversion") != "1.0":
            yield Fault(each.place, f"ce_specversion is {each.header('ce_specversion')!r}")
        elif not (each.header("content-type") or "").startswith("application/json"):
            yield Fault(each.place, f"content-type is {each.header('content-type')!r}")
        elif not _is_moment(each.header("ce_time")):
            yield Fault(each.place, f"ce_time is {each.header('ce_time')!r}, not a time by RFC 3339")


def _is_moment(text: str | None) -> bool:
    """Whether it is a time with its zone, or is left out."""
    if text is None:
        return True
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _same_ids(records: Sequence[Seen]) -> Iterator[Fault]:
    """Source and id name an event: only a second try of the same may have them again."""
    known: defaultdict[tuple[str, str], list[Seen]] = defaultdict(list)
    for each in records:
        source, id_ = each.header("ce_source"), each.header("ce_id")
        if not source or not id_:
            continue
        others = known[source, id_]
        if any(other.message != each.message for other in others):
            yield Fault(each.place, f"has the ce_id {id_!r} of {others[0].place}, which is another message")
        others.append(each)
