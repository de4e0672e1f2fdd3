"""Invariant 4, while all is at work: what a `read_committed` reader was shown is what is there in the end."""

from __future__ import annotations

from collections import Counter

from checker.facts.drained import Drained, digest_of
from checker.record import Json, shown
from checker.report import Tally

Part = tuple[str, int]
"""Topic and partition."""


class PollsCheck:
    """Reads each poll once, and keeps only how far the reader had come in each partition."""

    def __init__(self, drained: Drained) -> None:
        self.same = Tally(4, "no offset ever shows a reader something else than in the end")
        self.kept = Tally(4, "whatever a reader was shown is on its topic in the end")
        self.order = Tally(
            4, "a reader is shown every record, in order, and none again but where it looks again"
        )
        self.order.facts = {"polls": 0, "looked again": 0}
        self._drained = drained
        self._next: Counter[Part] = Counter()
        """The number of the record that comes next."""
        self._furthest: Counter[Part] = Counter()
        """The number of the first one that was never shown."""

    @property
    def tallies(self) -> list[Tally]:
        return [self.same, self.kept, self.order]

    def seek(self, line: Json) -> None:
        """From here on the reader reads from another offset: only of what it has read, or where it was."""
        part, offset = (line["topic"], line["partition"]), line["offset"]
        number = self._drained.logs[part].index(offset)
        self.order.facts["looked again"] += number < self._furthest[part]
        if number > self._furthest[part]:
            self._misses(part, self._furthest[part], f"the reader goes on at offset {offset} without")
        self._next[part] = number

    def see(self, line: Json) -> None:
        """A poll has shown these records of a partition."""
        part = line["topic"], line["partition"]
        self.order.facts["polls"] += 1
        for offset, id_, sum_ in zip(line["offsets"], line["ids"], line["sums"], strict=True):
            self._see(part, offset, id_, sum_)

    def finish(self) -> None:
        """Nothing more was shown: a reader stays until it has come to the end."""
        for part, log in self._drained.logs.items():
            if self._furthest[part] < len(log):
                self._misses(part, self._furthest[part], "the reader was never shown")

    def _see(self, part: Part, offset: int, id_: str, sum_: int) -> None:
        log, expected = self._drained.logs[part], self._next[part]
        number = log.index(offset)
        is_there = number < len(log) and log.offsets[number] == offset
        where = (part[1], offset)
        self.kept.checked += 1
        self.order.checked += 1
        if not is_there:
            self.kept.fail(where[::-1], f"{part[0]} {shown(where)}: {id_} was shown, and is not there")
        else:
            self.same.checked += 1
            if log.digests[number] != digest_of(id_, sum_):
                self.same.fail(where[::-1], f"{part[0]} {shown(where)}: {id_} was shown, now it is another")
        if number < expected:
            self.order.fail(where[::-1], f"{part[0]} {shown(where)}: was shown behind later ones")
        elif number > expected:
            self._misses(part, expected, f"offset {offset} was shown without")
        self._next[part] = number + is_there
        self._furthest[part] = max(self._furthest[part], self._next[part])

    def _misses(self, part: Part, number: int, how: str) -> None:
        """The record of this number should have been shown."""
        where = part[1], self._drained.logs[part].offsets[number]
        self.order.fail(where[::-1], f"{how} {part[0]} {shown(where)}")
