"""A stopped lane that whoever recovers it has made his, and what is found of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workers.runtime import protocol, trail
from workers.runtime.batch import Event
from workers.runtime.identity import LaneName
from workers.runtime.ledger import StoredLane
from workers.runtime.losses import Place
from workers.runtime.published import Published
from workers.runtime.topology import Topology


@dataclass(slots=True)
class Seized:
    """`unpublished`: its pending events, by identity, without those that turned out to be published."""

    name: LaneName
    stored: StoredLane
    places: Mapping[str, Place]
    unpublished: dict[str, Event]
    known_ahead: int = 0
    """Published events that the lane may derive again."""
    _trails: list[bytes] = field(default_factory=list)

    @property
    def offsets(self) -> dict[str, int]:
        """Where each input is read on."""
        return {topic: place.offset for topic, place in self.places.items()}

    @property
    def lost(self) -> dict[str, int]:
        """How many records of which inputs are gone."""
        return {topic: place.lost for topic, place in self.places.items() if place.lost}

    def take(self, found: Published) -> bool:
        """Note an event that readers have; returns whether the lane may derive it again.

        Not when a log has lost its end, which Postgres is ahead of then. Its offsets are given to other
        records, and dead letters and what is sent on are identified by offsets: those of the others are not
        to be taken for published.
        """
        is_pending = self.unpublished.pop(found.identity, None) is not None
        if is_pending or self.is_cut:
            return False
        if found.trail:
            self._trails.append(found.trail)
        self.known_ahead += 1
        return True

    def cuts(self, topology: Topology) -> dict[str, str]:
        """Of each input whose offsets were given twice, what tells the second ones: the batch before them."""
        row = self.stored.row
        others = protocol.made_again(row.log_ids, topology.ids)
        known = {topic: cut for topic, cut in row.cuts.items() if topic not in others}
        return known | {topic: str(row.batch_no) for topic, place in self.places.items() if place.is_cut}

    def portions(self, inputs: Sequence[str], topology: Topology) -> list[Mapping[str, int]]:
        """In which portions its inputs were read behind where it stands: to be read so again."""
        # Where portions ended on a topic that is gone says nothing of the one that was made again.
        if protocol.made_again(self.stored.row.log_ids, topology.ids):
            return []
        told = [ends for each in self._trails for ends in trail.portions_of(each, inputs)]
        return list(trail.onward(told, self.offsets))

    @property
    def is_cut(self) -> bool:
        """Whether a log of its inputs has lost its end."""
        return any(place.is_cut for place in self.places.values())
