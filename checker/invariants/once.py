"""Invariant 4, first half: each event appears once to a `read_committed` reader, where its key belongs."""

from __future__ import annotations

from collections.abc import Iterator

from checker.murmur2 import partition_of
from checker.record import LogRecord, shown
from checker.report import Tally
from checker.source import Source

FROM_OUTSIDE = frozenset(("arrival", "carried", "outreach"))
"""On receipts: the own words of channels, connectors and providers, which they may repeat."""
FORWARDED = {"commands", "actions"}
"""Others write here too, perhaps with another partitioner: a misplaced record is forwarded as it is."""


class Once:
    """Watches topics while others read them."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.unique = Tally(4, "each event appears once on its topic")
        self.placed = Tally(4, "each event lies in the partition of its key")
        self.counts: dict[str, int] = {}

    @property
    def tallies(self) -> list[Tally]:
        return [self.unique, self.placed]

    def records(self, topic: str) -> Iterator[LogRecord]:
        """The topic's records, each checked as it passes; without those forwarded from here, or not ours."""
        seen: set[int] = set()
        partitions = self._source.partitions(topic)
        before = self.unique.checked
        for record in self._source.records(topic):
            misplaced = record.key is None or partition_of(record.key, partitions) != record.partition
            from_outside = topic == "receipts" and record.what(topic) in FROM_OUTSIDE
            if from_outside or (misplaced and topic in FORWARDED):
                continue
            self.unique.checked += 1
            self._check_id(topic, record, seen)
            self._check_partition(topic, record, misplaced=misplaced)
            yield record
        self.counts[topic] = self.unique.checked - before

    def _check_id(self, topic: str, record: LogRecord, seen: set[int]) -> None:
        id_ = record.id
        digest = hash(id_)
        if not id_ or (digest in seen and not _is_asked_again(topic, record)):
            fault = f"ce_id {id_} for the second time" if id_ else "no ce_id"
            self.unique.fail((record.offset, record.partition), f"{topic} {shown(record.place)}: {fault}")
        seen.add(digest)

    def _check_partition(self, topic: str, record: LogRecord, *, misplaced: bool) -> None:
        fault = f"key {record.key!r}" if misplaced else ""
        self.placed.judge(record.place[::-1], fault, f"{topic} {shown(record.place)}")


def _is_asked_again(topic: str, record: LogRecord) -> bool:
    """Whoever repeats what he asked means the same by the same key, of which the id is made."""
    try:
        value = record.json() if topic in FORWARDED else {}
    except ValueError:
        return False
    return record.id == f"{value.get('actor')}/{value.get('idempotency_key')}"
