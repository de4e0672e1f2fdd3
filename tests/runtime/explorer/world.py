"""One state of the model: all of it immutable, so that it can be looked up among those seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

Term = str
"""A worker's letter and the number of its life: `a0`, `a1`, `b0`."""

LETTERS = "abcdefgh"
PRODUCERS = 2

Phase = Literal["dead", "idle", "fence", "claim", "row", "group", "publish", "commit", "held"]


class Row(NamedTuple):
    """The lane's row in Postgres."""

    batch_no: int = 0
    owner: Term | None = None
    pending: tuple[int, ...] = ()


class Transaction(NamedTuple):
    """A Kafka transaction: open, or prepared (its outcome is decided, not yet visible to all)."""

    term: Term
    producer: int
    batches: tuple[int, ...]
    batch_no: int
    """What the offsets say, in their metadata."""
    prepared: bool = False


class Request(NamedTuple):
    """What was sent and is not answered: it lands at any later time, or never."""

    what: Literal["store", "claim", "release", "end"]
    term: Term
    expected: Term | None = None
    """claim: the owner that was fenced."""
    row: Row | None = None
    """store, release: the row after COMMIT; until then it is locked."""
    producer: int = 0


class Worker(NamedTuple):
    """A worker, as far as this lane goes."""

    life: int = 0
    phase: Phase = "idle"
    assigned: bool = False
    """Whether it believes that the group assigns the lane to it."""
    frozen: bool = False
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
    publishing: bool = False
    producer: int = 0
    """Which producer is the next."""


class Budget(NamedTuple):
    """What may still go wrong, and how often the group may give the lane to another."""

    reassignments: int = 1
    crashes: int = 1
    freezes: int = 1
    postgres: int = 1
    """Answers of Postgres that are lost."""
    kafka: int = 1
    """Answers to EndTxn that are lost."""
    timeouts: int = 0
    """Open transactions that the coordinator aborts."""


class World(NamedTuple):
    """Everything."""

    workers: tuple[Worker, ...]
    budget: Budget
    units: str
    """What there is to do: `r` a record, `t` a timer, which moves no offset. Batch n publishes unit n."""
    assigned_to: int | None = 0
    row: Row = Row()
    group: int | None = None
    """The batch number in the group's offsets, none before the first."""
    published: int = 0
    """Readers have batches 1 to this, each once, in order."""
    transactions: tuple[Transaction, ...] = ()
    ended: frozenset[tuple[Term, int]] = frozenset()
    """Producers that Kafka refuses."""
    requests: tuple[Request, ...] = ()
    wrong: str | None = None

    def with_worker(self, number: int, worker: Worker) -> World:
        """The same with this worker in the place of that number."""
        workers = (*self.workers[:number], worker, *self.workers[number + 1 :])
        return self._replace(workers=workers)

    def term(self, number: int) -> Term:
        """The present term of a worker."""
        return f"{LETTERS[number]}{self.workers[number].life}"

    def spend(self, what: str) -> World:
        """One fault of this kind less is left."""
        return self._replace(budget=self.budget._replace(**{what: getattr(self.budget, what) - 1}))

    def offset(self, batch_no: int) -> int:
        """The input offset behind batch `batch_no`."""
        return self.units[:batch_no].count("r")


class Move(NamedTuple):
    """One step to another state."""

    name: str
    world: World
    certain: bool = True
    """Whether it happens sooner or later when it can: false for faults and for a frozen worker's thaw."""


Moves = Iterator[Move]
Step = Callable[[World, int], Moves]
"""What a worker can do next."""


def first(workers: int, units: str, budget: Budget) -> World:
    """The first worker has just been given a lane of which nothing has been read."""
    others = (Worker(),) * (workers - 1)
    return World((Worker(assigned=True), *others), budget, units)
