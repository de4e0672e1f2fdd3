"""Taking a lane over in the model: asks the real decisions what next, and does it as the runtime does."""

from __future__ import annotations

from functools import lru_cache

from tests.runtime.explorer import kafka, postgres
from tests.runtime.explorer.ending import end_term, end_transaction, go_on, idle, in_flight
from tests.runtime.explorer.world import PRODUCERS, Hold, Move, Moves, Part, Request, Row, World
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


def read_early(_: World, __: int) -> int | None:
    """What is read of the lane's group before the fence: nothing."""
    return None


def read_group(world: World, _: int, lane: int) -> int | None:
    """What is read of the lane's group when the row is mine: what is completed."""
    return world.groups[lane]


def read_owner(world: World, number: int, lane: int) -> Moves:
    """Step (a): the row's owner."""
    hold = world.workers[number].holds[lane]
    if not hold.assigned:
        return
    row = _row(world.rows[lane], world.units[lane])
    step = protocol.after_row(me=world.term(number), holds=False, assigned=True, row=row)
    seen = world.with_hold(number, lane, hold._replace(group=read_early(world, lane)))
    yield from follow("reads the owner", seen, number, lane, step)


def fence(world: World, number: int, lane: int) -> Moves:
    """Step (b): end every producer of the owner."""
    hold = world.workers[number].holds[lane]
    assert hold.owner is not None
    after = kafka.end_producer(world, hold.owner, hold.fenced)
    if after is None:
        return
    name = f"ends producer {hold.owner}-{hold.fenced}"
    if hold.fenced + 1 < PRODUCERS:
        yield Move(name, after.with_hold(number, lane, hold._replace(fenced=hold.fenced + 1)))
    else:
        step = protocol.after_fence(assigned=hold.assigned, owner=hold.owner)
        yield from follow(name, after, number, lane, step)


def claim(world: World, number: int, lane: int) -> Moves:
    """Step (c): swap the owner. While another's COMMIT has the row locked this waits."""
    hold = world.workers[number].holds[lane]
    request = Request("claim", world.term(number), lane, hold.owner)
    if not postgres.locked(world, (lane,)):
        after, outcome = postgres.execute(world, request)
        yield from follow("claims", after, number, lane, protocol.after_claim(outcome=outcome))
    if world.budget.postgres:
        unknown = in_flight(world.spend("postgres"), request)
        step = protocol.after_claim(outcome=Outcome.UNKNOWN)
        yield from follow("claims, no answer", unknown, number, lane, step)


def read_row(world: World, number: int, lane: int) -> Moves:
    hold = world.workers[number].holds[lane]
    if not hold.assigned:
        yield Move("gives up the takeover", idle(world, number, lane))
        return
    read = hold._replace(row=world.rows[lane]._replace(owner=None), phase="group")
    yield Move("reads the row", world.with_hold(number, lane, read))


def look_at_group(world: World, number: int, lane: int) -> Moves:
    """Step (d): the group's offsets, which may be stale as long as something is being completed."""
    hold, units = world.workers[number].holds[lane], world.units[lane]
    completing = any(transaction.prepared for transaction in world.transactions)
    step = protocol.after_group(
        row=_row(hold.row, units),
        group=_group(read_group(world, number, lane), units),
        waited_s=0.0 if completing else protocol.STALE_READ_LIMIT_S,
    )
    yield from follow("reads the group", world, number, lane, step)


def publish_pending(world: World, number: int, lane: int) -> Moves:
    """Step (e): what the owner before had stored and perhaps not published; not beside other publishing."""
    worker = world.workers[number]
    hold = worker.holds[lane]
    if worker.publishing or kafka.busy(world, world.term(number), worker.producer):
        return
    batches = tuple(batch for batch in hold.row.pending if batch > hold.above)
    part = Part(lane, batches, hold.row.batch_no)
    after = kafka.begin(world, world.term(number), worker.producer, (part,))
    if after is None:
        refused = protocol.after_takeover_publish(outcome=Outcome.REFUSED)
        yield from follow("cannot publish what is pending", world, number, lane, refused)
    else:
        begun = worker._replace(publishing=True).with_hold(lane, hold._replace(phase="commit"))
        yield Move(f"begins to publish pending {batches}", after.with_worker(number, begun))


def commit_pending(world: World, number: int, lane: int) -> Moves:
    for name, after, outcome in end_transaction(world, number):
        step = protocol.after_takeover_publish(outcome=outcome)
        yield from follow(f"{name} of pending", after, number, lane, step)


def follow(name: str, world: World, number: int, lane: int, step: TakeoverStep) -> Moves:
    """Do what a decision of the takeover says."""
    hold = world.workers[number].holds[lane]
    match step:
        case Fence(owner):
            after = world.with_hold(number, lane, hold._replace(phase="fence", owner=owner, fenced=0))
        case Claim(owner):
            after = world.with_hold(number, lane, hold._replace(phase="claim", owner=owner, fenced=0))
        case ReadGroup() | BackOff(read_again=True):
            mine = hold._replace(phase="row", owner=None, fenced=0, row=Row())
            after = world.with_hold(number, lane, mine)
        case Publish(above):
            after = world.with_hold(number, lane, hold._replace(phase="publish", above=above))
        case Start():
            after = _held(world, number, lane)
        case BackOff() | Abandon():
            after = idle(world, number, lane)
        case Stop(reason):
            yield from _stop(f"{name}, stops the lane", world, number, lane, reason)
            return
        case EndTerm(reason):
            yield from end_term(f"{name}: {reason}", world, number)
            return
    yield Move(f"{name}: {step}", after)


def _held(world: World, number: int, lane: int) -> World:
    """Step (f): read on from the row, if the lane is still assigned."""
    hold = world.workers[number].holds[lane]
    forgotten = idle(world, number, lane)
    if not hold.assigned:
        return forgotten
    batch_no = hold.row.batch_no
    held = Hold("held", assigned=True, batch_no=batch_no, confirmed=batch_no)
    return forgotten.with_hold(number, lane, held)


def _stop(name: str, world: World, number: int, lane: int, reason: str) -> Moves:
    """Nobody tampered with anything here: a lane must never be stopped for good."""
    outcome = Outcome.OK if may_stop(world, number, lane) else Outcome.REFUSED
    end = protocol.after_stop(outcome=outcome)
    yield from go_on(name, world._replace(wrong=f"stopped: {reason}"), number, end, world)


def may_stop(world: World, number: int, lane: int) -> bool:
    """Whether the row is the worker's to be stopped."""
    return world.rows[lane].owner == world.term(number)
