"""Which records to try next after some took too long: fewer and fewer, until the culprit stands alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from workers.runtime.batch import Record
from workers.runtime.lanes import Lanes

Place = tuple[str, int, int]
"""Topic, lane and offset of a record."""


@dataclass(slots=True)
class Patience:
    """What a runtime remembers of records whose batch was given up; it outlives the term.

    They are tried again as they were, since a server has bad moments, then in halves: one part at a time, so
    that the group hears of this process between them. Who takes too long alone, twice, is to blame.
    """

    _suspects: list[Place] = field(default_factory=list)
    _at_once: int = 0
    """How many of them are tried next."""
    _alone: Place | None = None
    """The one that took too long alone, once."""
    _others_wait: bool = False
    """Whether others took too long, too: their turn comes later."""

    def bearable(self, records: Sequence[Record], lanes: Lanes) -> tuple[Sequence[Record], Sequence[Record]]:
        """Of these: all of lanes that no suspect is in, and the suspects to be tried now."""
        self._acquit(lanes)
        if not self._suspects:
            return records, []
        suspects = set(self._suspects)
        suspected = {lane for _, lane, _ in suspects}
        others = [] if self._others_wait else [record for record in records if record.lane not in suspected]
        return others, [record for record in records if _place(record) in suspects][: self._at_once]

    def took_too_long(self, records: Sequence[Record]) -> bool:
        """These did, at least one. Returns whether that is the fault of the one that stands alone."""
        places = [_place(record) for record in records]
        if self._suspects and places[0] not in self._suspects:
            self._others_wait = True
            return False
        alone = places[0] if len(places) == 1 else None
        if alone is not None and alone == self._alone:
            return True
        self._at_once = max(1, len(places) // 2) if self._suspects else len(places)
        self._suspects, self._alone = places, alone
        return False

    def _acquit(self, lanes: Lanes) -> None:
        """Forget those that are stored, or that another has the lane of; half of the others is next."""
        left = [
            (topic, lane, offset)
            for topic, lane, offset in self._suspects
            if lane in lanes and lanes[lane].next_offsets[topic] <= offset
        ]
        if len(left) == len(self._suspects):
            return
        self._suspects, self._at_once, self._alone = left, max(1, len(left) // 2), None
        if not left:
            self._others_wait = False


def _place(record: Record) -> Place:
    return record.topic, record.lane, record.offset
