"""Holding lanes in the model: store, publish meanwhile, release; each as the real decisions say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, combinations

from tests.runtime.explorer import kafka, postgres
from tests.runtime.explorer.ending import abort_transaction, end_transaction, go_on, idle, in_flight
from tests.runtime.explorer.world import Move, Moves, Part, Worker, World
from workers.runtime import protocol
from workers.runtime.protocol import Outcome


def work(world: World, number: int) -> Moves:
    """Store the next batch over some of the lanes that are held, and publish one that is stored.

    Each lane has at most one that waits to be published: halves of the lanes store theirs side by side.
    """
    worker = world.workers[number]
    if worker.ahead:
        yield from end_batch(world, number)
        return
    waiting = set(chain(*(worker.stored[1:] if worker.publishing else worker.stored)))
    for lanes in _some(_ready(world, worker)):
        if waiting.isdisjoint(lanes):
            yield from _store(world, number, lanes)
        yield from _begin_ahead(world, number, lanes)
    if _publishes_pending(worker):
        return  # one transaction at a time
    if worker.publishing:
        yield from _end_publishing(world, number)
    elif worker.stored and not kafka.busy(world, world.term(number), worker.producer):
        for stored in _next_first(worker.stored):
            yield from _begin_publishing(world, number, stored)


def _ready(world: World, worker: Worker) -> list[int]:
    """The lanes of which a batch can be stored."""
    return [
        lane
        for lane, hold in enumerate(worker.holds)
        if hold.phase == "held" and hold.assigned and hold.batch_no < len(world.units[lane])
    ]


def _some(lanes: list[int]) -> Iterator[tuple[int, ...]]:
    for size in range(1, len(lanes) + 1):
        yield from combinations(lanes, size)


def _next_first(stored: Sequence[tuple[int, ...]]) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Those that are stored, first one of which no lane has an earlier one: whichever half is quicker."""
    for place, lanes in enumerate(stored):
        if not set(lanes) & set(chain(*stored[:place])):
            yield (lanes, *stored[:place], *stored[place + 1 :])


def _publishes_pending(worker: Worker) -> bool:
    """Whether what was pending of a lane is being published."""
    return any(hold.phase == "commit" for hold in worker.holds)


def _begin_ahead(world: World, number: int, lanes: tuple[int, ...]) -> Moves:
    """Begin the Kafka transaction of a batch that is about to be stored: its offsets, and no record."""
    worker = world.workers[number]
    unconfirmed = sum(hold.batch_no - hold.confirmed for hold in worker.holds)
    if not protocol.may_begin_ahead(unconfirmed=unconfirmed) or _publishes_pending(worker):
        return
    if kafka.busy(world, world.term(number), worker.producer):
        return
    parts = tuple(Part(lane, (batch,), batch) for lane, batch in _next_batches(worker, lanes))
    begun = kafka.begin(world, world.term(number), worker.producer, parts)
    if begun is not None:
        numbers = ", ".join(str(part.batch_no) for part in parts)
        yield Move(f"begins {numbers} ahead", begun.with_worker(number, worker._replace(ahead=lanes)))


def _next_batches(worker: Worker, lanes: tuple[int, ...]) -> list[tuple[int, int]]:
    return [(lane, worker.holds[lane].batch_no + 1) for lane in lanes]


def end_batch(world: World, number: int) -> Moves:
    """Store the batch whose transaction is begun, or roll it back, since its handler failed."""
    yield from _store(world, number, world.workers[number].ahead)
    for name, after, outcome in abort_transaction(world, number):
        end = protocol.after_abort(outcome=outcome)
        for move in go_on(f"rolls back, {name}", after, number, end, after):
            yield move._replace(certain=False)


def _store(world: World, number: int, lanes: tuple[int, ...]) -> Moves:
    worker = world.workers[number]
    if postgres.locked(world, lanes):
        return
    batch = ", ".join(f"{batch_no}" for _, batch_no in _next_batches(worker, lanes))
    request = postgres.store(world, number, lanes)
    if request is None:
        end = protocol.after_store(outcome=Outcome.REFUSED)
        yield from go_on(f"cannot store {batch}", world, number, end, world)
        return
    after = worker._replace(
        stored=(*worker.stored, lanes), ahead=(), publishing=worker.publishing or bool(worker.ahead)
    )
    for lane, batch_no in _next_batches(worker, lanes):
        after = after.with_hold(lane, after.holds[lane]._replace(batch_no=batch_no))
    done, _ = postgres.execute(world._replace(wrong=_out_of_turn(world, number, lanes)), request)
    end = protocol.after_store(outcome=Outcome.OK)
    yield from go_on(f"stores {batch}", done.with_worker(number, after), number, end, world)
    if world.budget.postgres:
        unknown = in_flight(world.spend("postgres"), request)
        end = protocol.after_store(outcome=Outcome.UNKNOWN)
        went_on = unknown.with_worker(number, after)
        yield from go_on(f"stores {batch}, no answer", went_on, number, end, unknown)


def _out_of_turn(world: World, number: int, lanes: tuple[int, ...]) -> str | None:
    """What is wrong with a batch that does not follow what the tables have: its effects are there twice."""
    for lane, batch_no in _next_batches(world.workers[number], lanes):
        stored = world.rows[lane].batch_no
        if batch_no != stored + 1:
            return f"batch {batch_no} is stored behind batch {stored}"
    return None


def _begin_publishing(world: World, number: int, stored: tuple[tuple[int, ...], ...]) -> Moves:
    worker = world.workers[number]._replace(stored=stored)
    numbers = [(lane, worker.holds[lane].confirmed + 1) for lane in worker.stored[0]]
    parts = tuple(Part(lane, (batch,), batch) for lane, batch in numbers)
    begun = kafka.begin(world, world.term(number), worker.producer, parts)
    if begun is None:
        end = protocol.after_publish(outcome=Outcome.REFUSED)
        yield from go_on("cannot publish", world, number, end, world)
    else:
        after = begun.with_worker(number, worker._replace(publishing=True))
        yield Move(f"begins to publish {', '.join(str(batch) for _, batch in numbers)}", after)


def _end_publishing(world: World, number: int) -> Moves:
    for name, after, outcome in end_transaction(world, number):
        worker = after.workers[number]
        lanes, *later = worker.stored
        confirmed = worker._replace(stored=tuple(later))
        for lane in lanes:
            hold = confirmed.holds[lane]
            confirmed = confirmed.with_hold(lane, hold._replace(confirmed=hold.confirmed + 1))
        end = protocol.after_publish(outcome=outcome)
        yield from go_on(name, after.with_worker(number, confirmed), number, end, after)


def release(world: World, number: int, lane: int) -> Moves:
    """Give a lane up that is assigned to it no more."""
    worker = world.workers[number]
    hold = worker.holds[lane]
    published_now = worker.publishing and worker.stored and lane in worker.stored[0]
    if hold.assigned or published_now or postgres.locked(world, (lane,)):
        return
    if not protocol.may_release(unconfirmed=hold.batch_no - hold.confirmed):
        return
    request = postgres.release(world, number, lane)
    if request is None:
        end = protocol.after_release(outcome=Outcome.REFUSED)
        yield from go_on("cannot release", idle(world, number, lane), number, end, world)
        return
    done, _ = postgres.execute(world, request)
    end = protocol.after_release(outcome=Outcome.OK)
    yield from go_on("releases", idle(done, number, lane), number, end, done)
    if world.budget.postgres:
        unknown = in_flight(world.spend("postgres"), request)
        end = protocol.after_release(outcome=Outcome.UNKNOWN)
        yield from go_on("releases, no answer", idle(unknown, number, lane), number, end, unknown)
