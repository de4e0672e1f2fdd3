"""What makes a published record the same one when it is derived again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from schemas.deadletter import PREFIX

Headers = Iterable[tuple[str, bytes]]

FORWARDED_FROM = "forwarded_from"
"""The header that tells who sent a record on, and where it lay: everything else of it is its producer's."""

REPLAYED = "tongdai_replayed"
"""The header of a dead letter that an operator has put back: its id."""
ORIGINAL_TIMESTAMP = "tongdai_original_timestamp_ms"
"""The header that tells when such a record first came."""


class LaneName(NamedTuple):
    """Which lane of which kind, e.g. `intake/3`."""

    kind: str
    lane: int

    def __str__(self) -> str:
        return f"{self.kind}/{self.lane}"


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


def publisher(topic: str, headers: Headers) -> LaneName | None:
    """The lane that published a record on `topic` (short name), if a lane did."""
    known = dict(headers)
    if topic == "deadletter":
        return _lane_name(_text(known.get(PREFIX + "worker")), _text(known.get(PREFIX + "partition")))
    if FORWARDED_FROM in known:
        kind, _, rest = _text(known[FORWARDED_FROM]).partition("/")
        return _lane_name(kind, rest.partition("/")[0])
    start, _, name = _text(known.get("ce_source")).partition("/")
    kind, _, lane = name.partition("/")
    return _lane_name(kind, lane) if start == "tongdai" else None


def _lane_name(kind: str, lane: str) -> LaneName | None:
    return LaneName(kind, int(lane)) if lane.isascii() and lane.isdecimal() and len(lane) < 10 else None


def _text(header: bytes | None) -> str:
    """A header's text; a foreign record's may be missing, without a value, or not UTF-8."""
    return (header or b"").decode(errors="replace")
