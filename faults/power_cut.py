"""What a power cut does to a Kafka whose disk had not everything yet: its logs lose their ends."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

KEPT_PART = 0.7
"""Of each log."""
_LENGTH = struct.Struct(">qi")
"""First offset, and how many bytes follow."""
_ATTRIBUTES_AT, _PRODUCER_AT, _HEADER_BYTES = 21, 43, 61
_TRANSACTIONAL, _CONTROL = 0x10, 0x20


class _Batch(NamedTuple):
    """One record batch (format 2): where it ends, and of whose transaction it is, if it is."""

    end: int
    producer: int | None
    is_marker: bool


def cut_logs(data: Path, prefix: str) -> int:
    """Take the ends of our topics' logs away, Kafka being dead. Returns how many bytes that were."""
    taken = 0
    for log in data.glob(f"{prefix}.*-*/*.log"):
        content = log.read_bytes()
        kept = kept_bytes(content, int(KEPT_PART * len(content)))
        with log.open("r+b") as file:
            file.truncate(kept)
        taken += len(content) - kept
    return taken


def kept_bytes(log: bytes, most: int) -> int:
    """Up to where to keep a log: no batch in parts, and no transaction without its end.

    Kafka itself cuts a batch in parts away; a transaction without its end would keep every reader waiting.
    """
    kept, is_open = 0, set()
    for batch in _batches(log):
        if batch.end > most:
            break
        if batch.is_marker:
            is_open.discard(batch.producer)
        elif batch.producer is not None:
            is_open.add(batch.producer)
        if not is_open:
            kept = batch.end
    return kept


def _batches(log: bytes) -> Iterator[_Batch]:
    start = 0
    while start + _HEADER_BYTES <= len(log):
        _, length = _LENGTH.unpack_from(log, start)
        end = start + _LENGTH.size + length
        if length <= 0 or end > len(log):
            return  # zeros that the broker had set aside, or half a batch
        attributes = int.from_bytes(log[start + _ATTRIBUTES_AT : start + _ATTRIBUTES_AT + 2])
        producer = int.from_bytes(log[start + _PRODUCER_AT : start + _PRODUCER_AT + 8])
        yield _Batch(end, producer if attributes & _TRANSACTIONAL else None, bool(attributes & _CONTROL))
        start = end
