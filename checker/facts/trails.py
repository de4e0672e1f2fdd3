"""How far the notifier had followed chains when it read a line: its events tell where each batch ended."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from itertools import accumulate

from checker.murmur2 import partition_of
from checker.record import LogRecord

READ_TO = "read_to"
"""The header: for each batch the next offsets of assignments, messages and receipts, `17,3,240;17,4,251`."""
_INPUTS = 3


class Trails:
    """Of all lanes. A batch that is not told makes it know less, and nothing that is wrong."""

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes
        self._ends: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        """By lane: where batches ended on messages, and on assignments."""
        self._found: dict[int, tuple[list[int], list[int]]] = {}

    def see(self, record: LogRecord, key: str) -> None:
        """One record of notifications, about the conversation of this key."""
        told = record.header(READ_TO)
        for portion in told.split(";") if told else ():
            ends = [int(offset) for offset in portion.split(",")]
            if len(ends) == _INPUTS:
                self._ends[self._lane(key)].append((ends[1], ends[0]))

    def followed(self, key: str, offset: int) -> int:
        """The offset on assignments before which all was read for certain when this one of messages was."""
        lane = self._lane(key)
        if lane not in self._found:
            ends = sorted(self._ends[lane])
            self._found[lane] = [on[0] for on in ends], list(accumulate((on[1] for on in ends), max))
        on_messages, on_assignments = self._found[lane]
        before = bisect_right(on_messages, offset)
        return on_assignments[before - 1] if before else 0

    def _lane(self, key: str) -> int:
        return partition_of(key.encode(), self._lanes)
