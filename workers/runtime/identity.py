"""What makes a published record the same one when it is derived again."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.deadletter import PREFIX

Headers = Iterable[tuple[str, bytes]]

FORWARDED_FROM = "forwarded_from"
"""The header that tells who sent a record on, and where it lay: everything else of it is its producer's."""

REPLAYED = "tongdai_replayed"
"""The header of a dead letter that an operator has put back: its id."""
ORIGINAL_TIMESTAMP = "tongdai_original_timestamp_ms"
"""The header that tells when such a record first came."""


def lane_source(kind: str, lane: int) -> str:
    """The `ce_source` of what a lane publishes."""
    return f"tongdai/{kind}/{lane}"


def forwarded_from(kind: str, topic: str, lane: int, offset: int) -> tuple[str, bytes]:
    """The header of a record of this place that a lane of `kind` sends on."""
    return FORWARDED_FROM, f"{kind}/{lane}/{topic}/{offset}".encode()


def identity(topic: str, headers: Headers) -> str:
    """The identity of a record on `topic` (short name).

    Its `ce_id`, or where it came from if it is a dead letter or was sent on.
    """
    known = dict(headers)
    if topic == "deadletter":
        place = (_text(known.get(PREFIX + name)) for name in ("worker", "topic", "partition", "offset"))
        return "deadletter " + "/".join(place)
    if FORWARDED_FROM in known:
        return "forwarded " + _text(known[FORWARDED_FROM])
    return _text(known.get("ce_id"))


def is_of_lane(topic: str, headers: Headers, kind: str, lane: int) -> bool:
    """Whether this lane published the record."""
    known = dict(headers)
    if topic == "deadletter":
        return (
            known.get(PREFIX + "worker") == kind.encode()
            and known.get(PREFIX + "partition") == str(lane).encode()
        )
    if FORWARDED_FROM in known:
        return _text(known[FORWARDED_FROM]).startswith(f"{kind}/{lane}/")
    return known.get("ce_source") == lane_source(kind, lane).encode()


def _text(header: bytes | None) -> str:
    """A header's text; a foreign record's may be missing, without a value, or not UTF-8."""
    return (header or b"").decode(errors="replace")
