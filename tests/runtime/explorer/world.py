"""One state of the model: all of it immutable, so that it can be looked up among those seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeVar

Term = str
"""A worker's letter and the number of its life: `a0`, `a1`, `b0`."""

LETTERS = "abcdefgh"
PRODUCERS = 2

Phase = Literal["idle", "fence", "claim", "row", "group", "publish", "commit", "held"]


class Row(NamedTuple):
    """The lane's row in Postgres."""

    batch_no: int = 0
    owner: Term | None = None
    pending: tuple[int, ...] = ()


class Part(NamedTuple):
    """What a Kafka transaction has of one lane."""

    lane: int
    batches: tuple[int, ...]
    batch_no: int
    """What the offsets say, in their metadata."""


class Transaction(NamedTuple):
    """A Kafka transaction: open, or prepared (its outcome is decided, not yet visible to all)."""

    term: Term
    producer: int
    parts: tuple[Part, ...]
    prepared: bool = False


class Request(NamedTuple):
    """What was sent and is not answered: it lands at any later time, or never."""

    what: Literal["store", "claim", "release", "end"]
    term: Term
    lane: int = 0
    """claim: whose owner was fenced."""
    expected: Term | None = None
    """claim: that owner."""
    rows: tuple[tuple[int, Row], ...] = ()
    """store, release: of these lanes the rows after COMMIT; until then they are locked."""
    producer: int = 0


class Hold(NamedTuple):
    """How a worker stands to one lane."""

    phase: Phase = "idle"
    assigned: bool = False
    """Whether it believes that the group assigns the lane to it."""
    owner: Term | None = None
    """Taking over: whom it fences, and expects in the row."""
    fenced: int = 0
    """How many producers of `owner` are ended."""
    row: Row = Row()
    """Taking over: the row as it was read."""
    group: int | None = None
    above: int = 0
    batch_no: int = 0
    confirmed: int = 0


class Worker(NamedTuple):
    """A worker and how it stands to each lane."""

    holds: tuple[Hold, ...]
    life: int = 0
    dead: bool = False
    frozen: bool = False
    stored: tuple[tuple[int, ...], ...] = ()
    """Which lanes share each batch that is stored and not confirmed, in order."""
    ahead: tuple[int, ...] = ()
    """The lanes of a batch that is not stored, and whose Kafka transaction is begun: until it is stored or
    rolled back nothing else is done."""
    publishing: bool = False
    producer: int = 0
    """Which producer is the next."""

    def with_hold(self, lane: int, hold: Hold) -> Worker:
        """The same with this in the place of what it was to that lane."""
        return self._replace(holds=replaced(self.holds, lane, hold))


class Budget(NamedTuple):
    """What may still go wrong, and how often the group may give the lane to another."""

    reassignments: int = 1
    """Of one lane each."""
    crashes: int = 1
    freezes: int = 1
    postgres: int = 1
    """Answers of Postgres that are lost."""
    kafka: int = 1
    """Answers to EndTxn that are lost."""
    timeouts: int = 0
    """Open transactions that the coordinator aborts."""


NONE = Budget(reassignments=0, crashes=0, freezes=0, postgres=0, kafka=0, timeouts=0)

T = TypeVar("T")


def replaced(values: tuple[T, ...], at: int, value: T) -> tuple[T, ...]:
    """The same with another one in one place."""
    return (*values[:at], value, *values[at + 1 :])


class World(NamedTuple):
    """Everything. What is of one lane stands at its number."""

    workers: tuple[Worker, ...]
    budget: Budget
    units: tuple[str, ...]
    """What there is to do: `r` a record, `t` a timer, which moves no offset. Batch n publishes unit n."""
    assigned_to: tuple[int | None, ...]
    rows: tuple[Row, ...]
    groups: tuple[int | None, ...]
    """The batch number in the group's offsets, none before the first."""
    published: tuple[int, ...]
    """Readers have batches 1 to this, each once, in order."""
    transactions: tuple[Transaction, ...] = ()
    ended: frozenset[tuple[Term, int]] = frozenset()
    """Producers that Kafka refuses."""
    requests: tuple[Request, ...] = ()
    wrong: str | None = None

    @property
    def lanes(self) -> range:
        """Their numbers."""
        return range(len(self.units))

    @property
    def is_done(self) -> bool:
        """Whether readers have everything."""
        return all(count == len(units) for count, units in zip(self.published, self.units, strict=True))

    def with_worker(self, number: int, worker: Worker) -> World:
        """The same with this worker in the place of that number."""
        return self._replace(workers=replaced(self.workers, number, worker))

    def with_hold(self, number: int, lane: int, hold: Hold) -> World:
        """The same with this worker standing so to this lane."""
        return self.with_worker(number, self.workers[number].with_hold(lane, hold))

    def with_row(self, lane: int, row: Row) -> World:
        """The same with this row of a lane."""
        return self._replace(rows=replaced(self.rows, lane, row))

    def assigned(self, lane: int, to: int | None) -> World:
        """The same with the group assigning the lane to this worker, or to none."""
        return self._replace(assigned_to=replaced(self.assigned_to, lane, to))

    def term(self, number: int) -> Term:
        """The present term of a worker."""
        return f"{LETTERS[number]}{self.workers[number].life}"

    def spend(self, what: str) -> World:
        """One fault of this kind less is left."""
        return self._replace(budget=self.budget._replace(**{what: getattr(self.budget, what) - 1}))


class Move(NamedTuple):
    """One step to another state."""

    name: str
    world: World
    certain: bool = True
    """Whether it happens sooner or later when it can: false for faults and for a frozen worker's thaw."""


Moves = Iterator[Move]
Step = Callable[[World, int, int], Moves]
"""What a worker can do next about a lane."""


def first(workers: int, units: Sequence[str], budget: Budget) -> World:
    """The first worker has just been given the lanes, of which nothing has been read."""
    lanes = len(units)
    given = Worker((Hold(assigned=True),) * lanes)
    others = (Worker((Hold(),) * lanes),) * (workers - 1)
    return World(
        (given, *others),
        budget,
        tuple(units),
        assigned_to=(0,) * lanes,
        rows=(Row(),) * lanes,
        groups=(None,) * lanes,
        published=(0,) * lanes,
    )
