"""Kafka's default partitioner, written from its definition (org.apache.kafka.common.utils.Utils.murmur2)."""

from __future__ import annotations

from functools import lru_cache

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995
_SEED = 0x9747B28C


def murmur2(data: bytes) -> int:
    """The 32-bit MurmurHash2 of `data`, unsigned."""
    hash_ = _SEED ^ len(data)
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * _M & _MASK
        word = (word ^ word >> 24) * _M & _MASK
        hash_ = (hash_ * _M & _MASK) ^ word
    if whole < len(data):
        hash_ = (hash_ ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    hash_ = (hash_ ^ hash_ >> 13) * _M & _MASK
    return hash_ ^ hash_ >> 15


@lru_cache(maxsize=1 << 20)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition where every record with this key belongs."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
