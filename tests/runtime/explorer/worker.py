"""A worker in the model: asks the real decisions what next, and does it as the runtime does."""

from __future__ import annotations

from functools import lru_cache

from tests.runtime.explorer import kafka, postgres
from tests.runtime.explorer.ending import end_term, in_flight
from tests.runtime.explorer.world import PRODUCERS, Move, Moves, Request, Row, Step, World
from workers.runtime import protocol
from workers.runtime.protocol import (
    Abandon,
    BackOff,
    Claim,
    EndTerm,
    Fence,
    Outcome,
    Publish,
    ReadGroup,
    Start,
    Stop,
    TakeoverStep,
)

AHEAD_MAX = 2
"""Batches that are stored and not confirmed: one is being published, one waits for it."""


@lru_cache(maxsize=4096)
def _row(row: Row, units: str) -> protocol.Row:
    offsets = {"input": units[: row.batch_no].count("r")} if row.batch_no else {}
    return protocol.Row(row.batch_no, offsets, row.owner, row.pending)


@lru_cache(maxsize=64)
def _group(batch_no: int | None, units: str) -> protocol.Group:
    offsets = {} if batch_no is None else {"input": units[:batch_no].count("r")}
    return protocol.Group(batch_no, offsets)


def read_early(_: World) -> int | None:
    """What is read of the group before the fence: nothing."""
    return None


def read_group(world: World, _: int) -> int | None:
    """What is read of the group when the row is mine: what is completed."""
    return world.group


def steps(world: World, number: int) -> Moves:
    """Everything that this worker can do next."""
    worker = world.workers[number]
    if not worker.frozen and worker.phase != "dead":
        yield from STEPS[worker.phase](world, number)


def _read_owner(world: World, number: int) -> Moves:
    """Step (a): the row's owner."""
    worker = world.workers[number]
    if not worker.assigned:
        return
    step = protocol.after_row(
        me=world.term(number), holds=False, assigned=True, row=_row(world.row, world.units)
    )
    seen = world.with_worker(number, worker._replace(group=read_early(world)))
    yield from _follow("reads the owner", seen, number, step)


def _fence(world: World, number: int) -> Moves:
    """Step (b): end every producer of the owner."""
    worker = world.workers[number]
    assert worker.owner is not None
    after = kafka.end_producer(world, worker.owner, worker.fenced)
    if after is None:
        return
    name = f"ends producer {worker.owner}-{worker.fenced}"
    if worker.fenced + 1 < PRODUCERS:
        yield Move(name, after.with_worker(number, worker._replace(fenced=worker.fenced + 1)))
    else:
        step = protocol.after_fence(assigned=worker.assigned, owner=worker.owner)
        yield from _follow(name, after, number, step)


def _claim(world: World, number: int) -> Moves:
    """Step (c): swap the owner. While another's COMMIT has the row locked this waits."""
    request = Request("claim", world.term(number), world.workers[number].owner)
    if not postgres.locked(world):
        after, outcome = postgres.execute(world, request)
        yield from _follow("claims", after, number, protocol.after_claim(outcome=outcome))
    if world.budget.postgres:
        unknown = in_flight(world.spend("postgres"), request)
        step = protocol.after_claim(outcome=Outcome.UNKNOWN)
        yield from _follow("claims, no answer", unknown, number, step)


def _read_row(world: World, number: int) -> Moves:
    worker = world.workers[number]
    if not worker.assigned:
        yield Move("gives up the takeover", _idle(world, number))
        return
    read = worker._replace(row=world.row._replace(owner=None), phase="group")
    yield Move("reads the row", world.with_worker(number, read))


def _read_group(world: World, number: int) -> Moves:
    """Step (d): the group's offsets, which may be stale as long as something is being completed."""
    worker = world.workers[number]
    completing = any(transaction.prepared for transaction in world.transactions)
    step = protocol.after_group(
        row=_row(worker.row, world.units),
        group=_group(read_group(world, number), world.units),
        waited_s=0.0 if completing else protocol.STALE_READ_LIMIT_S,
    )
    yield from _follow("reads the group", world, number, step)


def _publish_pending(world: World, number: int) -> Moves:
    """Step (e): what the owner before had stored and perhaps not published."""
    worker = world.workers[number]
    if kafka.busy(world, world.term(number), worker.producer):
        return
    batches = tuple(batch for batch in worker.row.pending if batch > worker.above)
    after = kafka.begin(world, world.term(number), worker.producer, batches, worker.row.batch_no)
    if after is None:
        refused = protocol.after_takeover_publish(outcome=Outcome.REFUSED)
        yield from _follow("cannot publish what is pending", world, number, refused)
    else:
        begun = worker._replace(phase="commit", publishing=True)
        yield Move(f"begins to publish pending {batches}", after.with_worker(number, begun))


def _commit_pending(world: World, number: int) -> Moves:
    for name, after, outcome in _end_transaction(world, number):
        step = protocol.after_takeover_publish(outcome=outcome)
        yield from _follow(f"{name} of pending", after, number, step)


def _work(world: World, number: int) -> Moves:
    """Hold the lane: store, publish, release."""
    yield from _store(world, number)
    yield from _publish(world, number)
    yield from _release(world, number)


def _store(world: World, number: int) -> Moves:
    worker = world.workers[number]
    ahead = worker.batch_no - worker.confirmed
    if not worker.assigned or worker.batch_no >= len(world.units):
        return
    if ahead >= (AHEAD_MAX if worker.publishing else 1) or postgres.locked(world):
        return
    request = postgres.store(world, world.term(number), worker.batch_no, worker.confirmed)
    if request is None:
        yield from _go_on("cannot store", world, number, protocol.after_store(outcome=Outcome.REFUSED), world)
        return
    done, _ = postgres.execute(world, request)
    done = done.with_worker(number, worker._replace(batch_no=worker.batch_no + 1))
    yield from _go_on(
        f"stores {worker.batch_no + 1}", done, number, protocol.after_store(outcome=Outcome.OK), world
    )
    if world.budget.postgres:
        unknown = in_flight(world.spend("postgres"), request)
        end = protocol.after_store(outcome=Outcome.UNKNOWN)
        went_on = unknown.with_worker(number, worker._replace(batch_no=worker.batch_no + 1))
        yield from _go_on(f"stores {worker.batch_no + 1}, no answer", went_on, number, end, unknown)


def _publish(world: World, number: int) -> Moves:
    worker = world.workers[number]
    term = world.term(number)
    if worker.publishing:
        for name, after, outcome in _end_transaction(world, number):
            confirmed = after.workers[number]._replace(confirmed=worker.confirmed + 1)
            end = protocol.after_publish(outcome=outcome)
            yield from _go_on(name, after.with_worker(number, confirmed), number, end, after)
    elif worker.confirmed < worker.batch_no and not kafka.busy(world, term, worker.producer):
        batch = worker.confirmed + 1
        begun = kafka.begin(world, term, worker.producer, (batch,), batch)
        if begun is None:
            end = protocol.after_publish(outcome=Outcome.REFUSED)
            yield from _go_on("cannot publish", world, number, end, world)
        else:
            after = begun.with_worker(number, worker._replace(publishing=True))
            yield Move(f"begins to publish {batch}", after)


def _release(world: World, number: int) -> Moves:
    worker = world.workers[number]
    unconfirmed = worker.batch_no - worker.confirmed
    if worker.assigned or worker.publishing or not protocol.may_release(unconfirmed=unconfirmed):
        return
    if postgres.locked(world):
        return
    request = postgres.release(world, world.term(number), worker.batch_no)
    if request is None:
        end = protocol.after_release(outcome=Outcome.REFUSED)
        yield from _go_on("cannot release", _idle(world, number), number, end, world)
        return
    done, _ = postgres.execute(world, request)
    end = protocol.after_release(outcome=Outcome.OK)
    yield from _go_on("releases", _idle(done, number), number, end, done)
    if world.budget.postgres:
        unknown = in_flight(world.spend("postgres"), request)
        end = protocol.after_release(outcome=Outcome.UNKNOWN)
        yield from _go_on("releases, no answer", _idle(unknown, number), number, end, unknown)


def _end_transaction(world: World, number: int) -> list[tuple[str, World, Outcome]]:
    """EndTxn with its answer, or without."""
    worker = world.workers[number]
    term = world.term(number)
    ended = worker._replace(publishing=False, producer=(worker.producer + 1) % PRODUCERS)
    after, outcome = kafka.end_transaction(world, term, worker.producer)
    answers = [(f"EndTxn {outcome.name}", after.with_worker(number, ended), outcome)]
    if world.budget.kafka:
        request = Request("end", term, producer=worker.producer)
        unknown = in_flight(world.spend("kafka"), request).with_worker(number, ended)
        answers.append(("EndTxn, no answer", unknown, Outcome.UNKNOWN))
    return answers


def _idle(world: World, number: int) -> World:
    """Forget the lane."""
    worker = world.workers[number]
    fresh = type(worker)(
        life=worker.life, assigned=worker.assigned, frozen=worker.frozen, producer=worker.producer
    )
    return world.with_worker(number, fresh)


def _go_on(name: str, after: World, number: int, end: EndTerm | None, ended: World) -> Moves:
    """Go on in `after`, or end the term in `ended`."""
    if end is None:
        yield Move(name, after)
    else:
        yield from end_term(f"{name}: {end.reason}", ended, number)


def _follow(name: str, world: World, number: int, step: TakeoverStep) -> Moves:
    """Do what a decision of the takeover says."""
    worker = world.workers[number]
    match step:
        case Fence(owner):
            after = world.with_worker(number, worker._replace(phase="fence", owner=owner, fenced=0))
        case Claim(owner):
            after = world.with_worker(number, worker._replace(phase="claim", owner=owner, fenced=0))
        case ReadGroup() | BackOff(read_again=True):
            mine = worker._replace(phase="row", owner=None, fenced=0, row=Row())
            after = world.with_worker(number, mine)
        case Publish(above):
            after = world.with_worker(number, worker._replace(phase="publish", above=above))
        case Start():
            after = _held(world, number)
        case BackOff() | Abandon():
            after = _idle(world, number)
        case Stop(reason):
            yield from _stop(f"{name}, stops the lane", world, number, reason)
            return
        case EndTerm(reason):
            yield from end_term(f"{name}: {reason}", world, number)
            return
    yield Move(f"{name}: {step}", after)


def _held(world: World, number: int) -> World:
    """Step (f): read on from the row, if the lane is still assigned."""
    worker = world.workers[number]
    forgotten = _idle(world, number)
    if not worker.assigned:
        return forgotten
    batch_no = worker.row.batch_no
    held = forgotten.workers[number]._replace(phase="held", batch_no=batch_no, confirmed=batch_no)
    return forgotten.with_worker(number, held)


def _stop(name: str, world: World, number: int, reason: str) -> Moves:
    """Nobody tampered with anything here: a lane must never be stopped for good."""
    outcome = Outcome.OK if may_stop(world, number) else Outcome.REFUSED
    end = protocol.after_stop(outcome=outcome)
    yield from _go_on(name, world._replace(wrong=f"stopped: {reason}"), number, end, world)


def may_stop(world: World, number: int) -> bool:
    """Whether the row is the worker's to be stopped."""
    return world.row.owner == world.term(number)


STEPS: dict[str, Step] = {
    "idle": _read_owner,
    "fence": _fence,
    "claim": _claim,
    "row": _read_row,
    "group": _read_group,
    "publish": _publish_pending,
    "commit": _commit_pending,
    "held": _work,
}
