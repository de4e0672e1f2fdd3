"""Events that are stored and perhaps not published, as bytes."""

from __future__ import annotations

from collections.abc import Sequence

import msgpack

from workers.runtime.batch import Event


def pack(events: Sequence[Event]) -> bytes:
    """`events` as the bytes of a row of `pending`."""
    packed: bytes = msgpack.packb(list(map(_fields, events)), use_bin_type=True)
    return packed


def _fields(event: Event) -> tuple[object, ...]:
    """As they were before there were events without key or value: workers of either version read them."""
    topic, partition, key, value, headers, no_key, no_value = event
    return topic, partition, None if no_key else key, None if no_value else value, headers


def unpack(packed: bytes) -> list[Event]:
    """The events of a row of `pending`."""
    return [
        Event(
            topic,
            partition,
            key or b"",
            value or b"",
            [(name, content) for name, content in headers],
            key is None,
            value is None,
        )
        for topic, partition, key, value, headers in msgpack.unpackb(packed, raw=False)
    ]
