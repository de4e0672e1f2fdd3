"""Batches in portions: what was stored of one, and what is stored instead of one that failed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from schemas.deadletter import Reason
from workers.runtime.batch import Batch, Event, Record
from workers.runtime.failures import LaneFailedError
from workers.runtime.lanes import Lane, Lanes

Ends = dict[int, dict[str, int]]
"""By lane, the next offset of each input."""
Part = tuple[Sequence[Record], Ends]
"""Records, and where their lanes stand behind them."""
Refusals = dict[tuple[str, int, int], tuple[Reason, str]]
"""Records (topic, lane, offset) that go to deadletter before the handler sees them."""


@dataclass(slots=True)
class Stored:
    """A batch that Postgres has: to be published, with its lanes' numbers and offsets."""

    events: list[Event] = field(default_factory=list)
    lanes: dict[int, tuple[int, dict[str, int]]] = field(default_factory=dict)
    """By lane: batch number and next offsets after it."""
    failed: LaneFailedError | None = None
    """Why the rest of the batch was left: a lane to be stopped."""
    is_late: bool = False
    """Whether the rest was left since it took too long: it is to be tried again, see `Patience`."""

    @property
    def leaves_rest(self) -> bool:
        """Whether not all of the batch was stored: its lanes are read again from where they stand."""
        return self.failed is not None or self.is_late

    def add(self, lane: Lane, events: Sequence[Event]) -> None:
        """One more batch of a lane, as it stands now; batches of a lane are added in their order."""
        self.lanes[lane.id] = (lane.batch_no, lane.next_offsets)
        self.events.extend(events)


def refuse(batch: Batch, refusals: Refusals) -> None:
    """Reject these before the handler sees them."""
    kept = []
    for record, at_ms in zip(batch.records, batch.at_ms, strict=True):
        refusal = refusals.get((record.topic, record.lane, record.offset))
        if refusal is None:
            kept.append((record, at_ms))
        else:
            batch.reject(record, *refusal)
    batch.records = [record for record, _ in kept]
    batch.at_ms = [at_ms for _, at_ms in kept]


def halves(records: Sequence[Record], ends: Ends, lanes: Lanes) -> list[Part]:
    """The first half ends behind its own last records, the second where the whole ends."""
    middle = len(records) // 2
    first, second = records[:middle], records[middle:]
    rest = {record.lane for record in second}
    # A lane that ends in the first half takes the whole's end there, with what lies behind its records.
    first_ends = behind(first, lanes) | {lane: end for lane, end in ends.items() if lane not in rest}
    return [(first, first_ends), (second, {lane: ends[lane] for lane in ends if lane in rest})]


def behind(records: Sequence[Record], lanes: Lanes) -> Ends:
    """Where lanes stand when they have read these records and nothing else."""
    ends = {lane: dict(lanes[lane].next_offsets) for lane in {record.lane for record in records}}
    for record in records:
        ends[record.lane][record.topic] = record.offset + 1
    return ends
