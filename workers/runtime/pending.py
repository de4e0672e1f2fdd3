"""Events that are stored and perhaps not published, as bytes."""

from __future__ import annotations

from collections.abc import Sequence

import msgpack

from workers.runtime.batch import Event


def pack(events: Sequence[Event]) -> bytes:
    """`events` as the bytes of a row of `pending`."""
    packed: bytes = msgpack.packb(events, use_bin_type=True)
    return packed


def unpack(packed: bytes) -> list[Event]:
    """The events of a row of `pending`."""
    return [
        Event(topic, partition, key, value, [(name, content) for name, content in headers])
        for topic, partition, key, value, headers in msgpack.unpackb(packed, raw=False)
    ]
