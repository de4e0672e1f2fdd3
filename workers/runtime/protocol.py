"""The lane protocol's decisions: given row, group offsets and the last result, what next? Pure.

A lane is a partition number with its owner. Postgres says what has been processed of it (its row), the
consumer group's offsets in Kafka say what has been published; they differ by at most what is pending.
Who takes a lane over fences the previous owner, claims the row, and only then reads the group. The reasons
for each step, and what goes wrong without it, are in docs/lane-protocol.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

Offsets = Mapping[str, int]
"""The next offset to read, by input topic."""

BACK_OFF_FIRST_S = 0.1
"""How long a lane is left alone at most after its claim was lost once."""
BACK_OFF_LAST_S = 5.0
"""The same after it was lost again and again."""
STALE_READ_USUAL_S = 5.0
"""A group offset may lag behind for some of this time: EndTxn is answered before it can be read."""
STALE_READ_LIMIT_S = 60.0
"""The same, of a broker that has lost sight of its groups for a while (docs/decisions/0023)."""


@dataclass(frozen=True, slots=True)
class Row:
    """A lane as Postgres has it. `pending` are the batch numbers stored and perhaps not published."""

    batch_no: int
    next_offsets: Offsets
    owner: str | None
    pending: tuple[int, ...] = ()
    stopped: str | None = None
    log_ids: Mapping[str, str] = field(default_factory=dict)
    """Kafka's ids of the inputs that the offsets count in, as far as they are known."""
    cuts: Mapping[str, str] = field(default_factory=dict)
    """Inputs whose log has lost its end, so that its offsets were given twice: what tells the second ones."""


@dataclass(frozen=True, slots=True)
class Group:
    """A lane as the consumer group has it; `batch_no` none: no offset was ever committed."""

    batch_no: int | None
    offsets: Offsets
    log_ids: Mapping[str, str] = field(default_factory=dict)
    """Kafka's ids of the inputs now."""


@dataclass(frozen=True, slots=True)
class Fence:
    """End the producers of this term, all its ids, until it succeeds; then claim."""

    owner: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Make the row mine by compare-and-swap, if its owner is still this one."""

    owner: str | None


@dataclass(frozen=True, slots=True)
class ReadGroup:
    """Read the group's offsets, now that nobody else can move them."""


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish the pending batches above this number, with the row's offsets; then start."""

    above: int


@dataclass(frozen=True, slots=True)
class Start:
    """Hold the lane: read on from the row's offsets."""


@dataclass(frozen=True, slots=True)
class BackOff:
    """Somebody else was faster, or an offset may be stale: wait a little, begin again if still assigned."""

    read_again: bool = False


@dataclass(frozen=True, slots=True)
class Abandon:
    """The group has given the lane to another member."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The lane must not run until an operator has recovered it."""

    reason: str


@dataclass(frozen=True, slots=True)
class EndTerm:
    """Forget all lanes, memory and producers; release nothing; begin a new term."""

    reason: str
    fenced: bool = True


TakeoverStep = Fence | Claim | ReadGroup | Publish | Start | BackOff | Abandon | Stop | EndTerm


class Outcome(Enum):
    """How a request to Postgres or Kafka that changes something ended."""

    OK = auto()
    REFUSED = auto()
    UNKNOWN = auto()

    @classmethod
    def of_swap(cls, done: bool) -> Outcome:
        """Of a compare-and-swap that was answered."""
        return cls.OK if done else cls.REFUSED


def after_row(*, me: str, holds: bool, assigned: bool, row: Row) -> TakeoverStep:
    """The row was read: whom to fence first?"""
    if row.owner == me and not holds:
        return EndTerm("the row names this term, which does not hold the lane")
    if not assigned:
        return Abandon()
    if row.stopped is not None:
        return Stop(row.stopped)
    return Claim(None) if row.owner is None else Fence(row.owner)


def after_fence(*, assigned: bool, owner: str) -> TakeoverStep:
    """The previous owner's producers are ended."""
    return Claim(owner) if assigned else Abandon()


def after_claim(*, outcome: Outcome) -> TakeoverStep:
    """The compare-and-swap on the owner that was fenced was answered, or not."""
    match outcome:
        case Outcome.OK:
            return ReadGroup()
        case Outcome.REFUSED:
            return BackOff()
        case Outcome.UNKNOWN:
            return EndTerm("whether the row was claimed is unknown", fenced=False)


def back_off_s(*, lost: int, spread: float) -> float:
    """How long to leave a lane alone whose claim was lost `lost` times in a row, from 1.

    Who comes back at once fences the rightful owner again and again. Twice as long each time, so that the
    winner gets to work whatever it needs for that; `spread`, from 0 to 1, parts losers from each other.
    """
    longest = min(BACK_OFF_FIRST_S * 2.0 ** min(lost - 1, 10), BACK_OFF_LAST_S)
    return longest * (1 + spread) / 2


def after_group(*, row: Row, group: Group, waited_s: float) -> TakeoverStep:
    """The group's offsets were read: is anything to be published, and does it fit the row?

    After a release nobody was fenced, so a lower or absent offset may be a stale read for a while; also when
    the owner that was fenced had itself only just claimed what another released.
    """
    if others := made_again(row.log_ids, group.log_ids):
        return Stop(told_again(others))
    if group.batch_no is None and row.batch_no == 0 and not row.pending:
        return Start()
    published = group.batch_no if group.batch_no is not None else 0
    first = row.pending[0] - 1 if row.pending else row.batch_no
    if first <= published <= row.batch_no and _offsets_fit(row, group):
        return Start() if published == row.batch_no else Publish(published)
    if published < first and waited_s < STALE_READ_LIMIT_S:
        return BackOff(read_again=True)
    return Stop(
        f"the group has published batch {group.batch_no} at {dict(group.offsets)}, but Postgres has batch "
        f"{row.batch_no} at {dict(row.next_offsets)} with {list(row.pending)} pending"
    )


def made_again(known: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The inputs that are other topics than those that `known` are the ids of."""
    return sorted(topic for topic, id_ in known.items() if now.get(topic, id_) != id_)


def told_again(topics: Iterable[str]) -> str:
    """Why a lane that reads them must not go on."""
    return f"{' and '.join(topics)}: deleted and made again, so that offsets count other records"


def _offsets_fit(row: Row, group: Group) -> bool:
    """Equal batch numbers mean equal offsets; an offset is never ahead of what was processed."""
    known = {topic: offset for topic, offset in group.offsets.items() if topic in row.next_offsets}
    if group.batch_no == row.batch_no:
        return all(offset == row.next_offsets[topic] for topic, offset in known.items())
    return all(offset <= row.next_offsets[topic] for topic, offset in known.items())


def after_takeover_publish(*, outcome: Outcome) -> TakeoverStep:
    """The pending batches of the previous owner were published, or not."""
    return Start() if outcome is Outcome.OK else _end_after(outcome, "publishing what was pending")


def after_store(*, outcome: Outcome) -> EndTerm | None:
    """A batch was stored (none: go on and publish it), or not."""
    return None if outcome is Outcome.OK else _end_after(outcome, "storing a batch")


def may_begin_ahead(*, unconfirmed: int) -> bool:
    """A batch's Kafka transaction is begun before the batch is stored only when nothing is unconfirmed."""
    return unconfirmed == 0


def after_abort(*, outcome: Outcome) -> EndTerm | None:
    """A transaction whose batch was rolled back is aborted (none: go on with another), or not."""
    return None if outcome is Outcome.OK else _end_after(outcome, "aborting a transaction")


def after_publish(*, outcome: Outcome) -> EndTerm | None:
    """A batch was published (none: it is confirmed), or not."""
    return None if outcome is Outcome.OK else _end_after(outcome, "publishing a batch")


def after_release(*, outcome: Outcome) -> EndTerm | None:
    """Lanes were released. When the answer was lost they are let go: the next owner fences this term."""
    return EndTerm("releasing a lane: the row was not mine") if outcome is Outcome.REFUSED else None


def after_stop(*, outcome: Outcome) -> EndTerm | None:
    """A lane that must not run was marked so, which only its owner may do, or not."""
    return None if outcome is Outcome.OK else _end_after(outcome, "stopping a lane")


def may_release(*, unconfirmed: int) -> bool:
    """Lanes are released only when nothing of this term is unconfirmed."""
    return unconfirmed == 0


def _end_after(outcome: Outcome, doing: str) -> EndTerm:
    if outcome is Outcome.REFUSED:
        return EndTerm(f"{doing}: refused, another owns the lane")
    return EndTerm(f"{doing}: the outcome is unknown", fenced=False)
