"""What topics hold in the end, a few bytes a record: what readers were shown before is compared with it."""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator

from checker.record import LogRecord


class Log:
    """The records of one partition, in order."""

    __slots__ = ("digests", "offsets")

    def __init__(self) -> None:
        self.offsets = array("q")
        self.digests = array("q")

    def __len__(self) -> int:
        return len(self.offsets)

    def index(self, offset: int) -> int:
        """The number of the first record that does not stand before this offset."""
        return bisect_left(self.offsets, offset)


class Drained:
    """Watches topics while others read them to their ends."""

    def __init__(self) -> None:
        self.logs: defaultdict[tuple[str, int], Log] = defaultdict(Log)
        """By topic and partition."""

    def watch(self, topic: str, records: Iterable[LogRecord]) -> Iterator[LogRecord]:
        """Pass the records on."""
        for record in records:
            log = self.logs[topic, record.partition]
            log.offsets.append(record.offset)
            log.digests.append(digest_of(record.id, sum_of(record)))
            yield record


def sum_of(record: LogRecord) -> int:
    """The CRC-32 of the key, and behind it the value: readers write down no more of what they were shown."""
    return zlib.crc32(record.value or b"", zlib.crc32(record.key or b""))


def digest_of(id_: str, sum_: int) -> int:
    """A digest of an event, by its id and its sum; valid in this process only."""
    return hash((id_, sum_))
