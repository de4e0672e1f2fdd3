"""Taking the lane over in the model: asks the real decisions what next, and does it as the runtime does."""

from __future__ import annotations

from functools import lru_cache

from tests.runtime.explorer import kafka, postgres
from tests.runtime.explorer.ending import end_term, end_transaction, go_on, idle, in_flight
from tests.runtime.explorer.world import PRODUCERS, Move, Moves, Request, Row, World
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


def read_owner(world: World, number: int) -> Moves:
    """Step (a): the row's owner."""
    worker = world.workers[number]
    if not worker.assigned:
        return
    step = protocol.after_row(
        me=world.term(number), holds=False, assigned=True, row=_row(world.row, world.units)
    )
    seen = world.with_worker(number, worker._replace(group=read_early(world)))
    yield from follow("reads the owner", seen, number, step)


def fence(world: World, number: int) -> Moves:
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
        yield from follow(name, after, number, step)


def claim(world: World, number: int) -> Moves:
    """Step (c): swap the owner. While another's COMMIT has the row locked this waits."""
    request = Request("claim", world.term(number), world.workers[number].owner)
    if not postgres.locked(world):
        after, outcome = postgres.execute(world, request)
        yield from follow("claims", after, number, protocol.after_claim(outcome=outcome))
    if world.budget.postgres:
        unknown = in_flight(world.spend("postgres"), request)
        step = protocol.after_claim(outcome=Outcome.UNKNOWN)
        yield from follow("claims, no answer", unknown, number, step)


def read_row(world: World, number: int) -> Moves:
    worker = world.workers[number]
    if not worker.assigned:
        yield Move("gives up the takeover", idle(world, number))
        return
    read = worker._replace(row=world.row._replace(owner=None), phase="group")
    yield Move("reads the row", world.with_worker(number, read))


def look_at_group(world: World, number: int) -> Moves:
    """Step (d): the group's offsets, which may be stale as long as something is being completed."""
    worker = world.workers[number]
    completing = any(transaction.prepared for transaction in world.transactions)
    step = protocol.after_group(
        row=_row(worker.row, world.units),
        group=_group(read_group(world, number), world.units),
        waited_s=0.0 if completing else protocol.STALE_READ_LIMIT_S,
    )
    yield from follow("reads the group", world, number, step)


def publish_pending(world: World, number: int) -> Moves:
    """Step (e): what the owner before had stored and perhaps not published."""
    worker = world.workers[number]
    if kafka.busy(world, world.term(number), worker.producer):
        return
    batches = tuple(batch for batch in worker.row.pending if batch > worker.above)
    after = kafka.begin(world, world.term(number), worker.producer, batches, worker.row.batch_no)
    if after is None:
        refused = protocol.after_takeover_publish(outcome=Outcome.REFUSED)
        yield from follow("cannot publish what is pending", world, number, refused)
    else:
        begun = worker._replace(phase="commit", publishing=True)
        yield Move(f"begins to publish pending {batches}", after.with_worker(number, begun))


def commit_pending(world: World, number: int) -> Moves:
    for name, after, outcome in end_transaction(world, number):
        step = protocol.after_takeover_publish(outcome=outcome)
        yield from follow(f"{name} of pending", after, number, step)


def follow(name: str, world: World, number: int, step: TakeoverStep) -> Moves:
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
            after = idle(world, number)
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
    forgotten = idle(world, number)
    if not worker.assigned:
        return forgotten
    batch_no = worker.row.batch_no
    held = forgotten.workers[number]._replace(phase="held", batch_no=batch_no, confirmed=batch_no)
    return forgotten.with_worker(number, held)


def _stop(name: str, world: World, number: int, reason: str) -> Moves:
    """Nobody tampered with anything here: a lane must never be stopped for good."""
    outcome = Outcome.OK if may_stop(world, number) else Outcome.REFUSED
    end = protocol.after_stop(outcome=outcome)
    yield from go_on(name, world._replace(wrong=f"stopped: {reason}"), number, end, world)


def may_stop(world: World, number: int) -> bool:
    """Whether the row is the worker's to be stopped."""
    return world.row.owner == world.term(number)
