"""What lies in deadletter, by the place that each letter names as its origin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from checker.record import LogRecord, Place

Origin = tuple[str, int, int]
"""Short topic, partition, offset."""


class Letter(NamedTuple):
    """One dead letter. `content` is a digest of its key and value."""

    reason: str
    content: int
    size_bytes: int
    place: Place


def content_of(record: LogRecord) -> int:
    """A digest of key and value, equal for a record and its dead letter; valid in this process only."""
    return hash((record.key, record.value))


class Letters:
    """All dead letters. Those whose origin is not a topic (an ingress) are only counted."""

    def __init__(self, records: Iterable[LogRecord]) -> None:
        self.by_origin: dict[Origin, list[Letter]] = {}
        self.contents: set[int] = set()
        self.count = 0
        for record in records:
            self._add(record)

    def of(self, topic: str, place: Place) -> list[Letter]:
        """The letters whose origin is this record."""
        return self.by_origin.get((topic, *place), [])

    def _add(self, record: LogRecord) -> None:
        self.count += 1
        topic = record.header("deadletter_topic") or ""
        partition, offset = (
            int(record.header(f"deadletter_{name}") or -1) for name in ("partition", "offset")
        )
        letter = Letter(
            record.header("deadletter_reason") or "",
            content_of(record),
            len(record.value or b""),
            record.place,
        )
        self.contents.add(letter.content)
        if not topic.startswith("ingress/"):
            self.by_origin.setdefault((topic, partition, offset), []).append(letter)
