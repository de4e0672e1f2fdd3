"""What makes a published record the same one when it is derived again."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.deadletter import PREFIX

Headers = Iterable[tuple[str, bytes]]


def lane_source(kind: str, lane: int) -> str:
    """The `ce_source` of what a lane publishes."""
    return f"tongdai/{kind}/{lane}"


def identity(topic: str, headers: Headers) -> str:
    """The identity of a record on `topic` (short name): its `ce_id`, or where a dead letter came from."""
    known = dict(headers)
    if topic == "deadletter":
        place = (_text(known.get(PREFIX + name)) for name in ("worker", "topic", "partition", "offset"))
        return "deadletter " + "/".join(place)
    return _text(known.get("ce_id"))


def is_of_lane(topic: str, headers: Headers, kind: str, lane: int) -> bool:
    """Whether this lane published the record."""
    known = dict(headers)
    if topic == "deadletter":
        return (
            known.get(PREFIX + "worker") == kind.encode()
            and known.get(PREFIX + "partition") == str(lane).encode()
        )
    return known.get("ce_source") == lane_source(kind, lane).encode()


def _text(header: bytes | None) -> str:
    """A header's text; a foreign record's may be missing, without a value, or not UTF-8."""
    return (header or b"").decode(errors="replace")
