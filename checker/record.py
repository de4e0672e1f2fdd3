"""One record of a topic, and how its envelope (CloudEvents 1.0 in Kafka's binary mode) is read."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

Json = dict[str, Any]
Place = tuple[int, int]
"""Partition and offset."""


class LogRecord(NamedTuple):
    """A record as it lies in its partition. `timestamp_ms` is Kafka's."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def place(self) -> Place:
        return self.partition, self.offset

    def raw_header(self, name: str) -> bytes | None:
        """The first header of this name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def header(self, name: str) -> str | None:
        """The first header of this name as text; broken UTF-8 is replaced."""
        value = self.raw_header(name)
        return None if value is None else value.decode(errors="replace")

    @property
    def id(self) -> str:
        """The event's `ce_id`; empty when it has none."""
        return self.header("ce_id") or ""

    def what(self, topic: str) -> str | None:
        """The middle of `tongdai.<topic>.<what>.v1`; none when `ce_type` is not of this topic."""
        return _what(self.raw_header("ce_type"), topic)

    def json(self) -> Json:
        """The value as an object. Raises ValueError when it is none."""
        value = orjson.loads(self.value or b"")
        if not isinstance(value, dict):
            raise ValueError("the value is not a JSON object")  # noqa: TRY004 - the record's fault, not the caller's
        return value


@lru_cache(maxsize=1 << 10)
def _what(ce_type: bytes | None, topic: str) -> str | None:
    match (ce_type or b"").decode(errors="replace").split("."):
        case ["tongdai", found, what, "v1"] if found == topic:
            return what
    return None


@lru_cache(maxsize=1 << 16)
def at_ms(moment: str) -> int:
    """RFC 3339 as milliseconds since 1970."""
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def shown(place: Place) -> str:
    """`partition 3, offset 17`."""
    return f"partition {place[0]}, offset {place[1]}"
