"""The lanes that this term holds, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Lane:
    """A lane that is mine: what Postgres has of it, and how far it is confirmed by Kafka."""

    id: int
    batch_no: int
    next_offsets: dict[str, int]
    at_ms: int
    confirmed: int
    forgotten: int = 0
    """`pending` has no batch up to this one any more. What is left of them in its index until the next
    vacuum need not be gone through."""
    exceptions_in_a_row: int = 0
    published_ahead: set[str] = field(default_factory=set)
    """Identities of events that readers have already, from before Postgres was restored."""
    cuts: Mapping[str, str] = field(default_factory=dict)
    """Inputs whose offsets were given twice, see workers.runtime.losses."""
    untold: list[dict[str, int]] = field(default_factory=list)
    """Where portions ended that had no event to tell it, see workers.runtime.trail."""


@dataclass(slots=True)
class Lanes:
    """Held lanes by number."""

    _lanes: dict[int, Lane] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    def __contains__(self, lane: int) -> bool:
        return lane in self._lanes

    def __getitem__(self, lane: int) -> Lane:
        return self._lanes[lane]

    def __len__(self) -> int:
        return len(self._lanes)

    @property
    def ids(self) -> list[int]:
        return sorted(self._lanes)

    @property
    def unconfirmed(self) -> int:
        """Batches that are stored, and of which Kafka has not said that they are published."""
        return sum(lane.batch_no - lane.confirmed for lane in self._lanes.values())

    def hold(self, lane: Lane) -> None:
        """This lane is mine from here on."""
        self._lanes[lane.id] = lane

    def drop(self, lanes: Iterable[int]) -> None:
        """These are no longer mine."""
        for lane in list(lanes):
            self._lanes.pop(lane, None)
