"""What happens around the workers in the model: the group, faults, requests that land late."""

from __future__ import annotations

from collections.abc import Sequence

from tests.runtime.explorer import kafka, postgres
from tests.runtime.explorer.ending import crash
from tests.runtime.explorer.worker import steps
from tests.runtime.explorer.world import LETTERS, Move, Moves, Request, World


def moves(world: World) -> Moves:
    """Every next state."""
    for number, letter in enumerate(LETTERS[: len(world.workers)]):
        for move in (*steps(world, number), *_happens_to(world, number)):
            yield move._replace(name=f"{letter}: {move.name}")
    yield from _completions(world)
    yield from _landings(world)
    yield from _assignments(world)


def _completions(world: World) -> Moves:
    for transaction in world.transactions:
        if transaction.prepared:
            batches = ", ".join(str(part.batch_no) for part in transaction.parts)
            yield Move(f"Kafka completes batch {batches}", kafka.complete(world, transaction))


def _landings(world: World) -> Moves:
    for request in world.requests:
        rest = world._replace(requests=tuple(other for other in world.requests if other is not request))
        yield Move(f"{request.what} of {request.term} never lands", rest)
        if request.what != "claim" or not postgres.locked(world, (request.lane,)):
            yield Move(f"{request.what} of {request.term} lands", _landed(rest, request))


def _landed(world: World, request: Request) -> World:
    if request.what == "end":
        return kafka.end_transaction(world, request.term, request.producer)[0]
    return postgres.execute(world, request)[0]


def _assignments(world: World) -> Moves:
    """The group assigns a lane when everybody has let go of it who could be asked to."""
    for lane in world.lanes:
        holds = [(worker, worker.holds[lane]) for worker in world.workers]
        if world.assigned_to[lane] is not None:
            continue
        if any(not (hold.assigned or worker.frozen) and hold.phase != "idle" for worker, hold in holds):
            continue
        for number, (worker, hold) in enumerate(holds):
            if not (hold.assigned or worker.frozen or worker.dead):
                after = world.with_hold(number, lane, hold._replace(assigned=True)).assigned(lane, number)
                yield Move(f"lane {lane} is assigned to {LETTERS[number]}", after)


def _happens_to(world: World, number: int) -> Moves:
    worker, budget = world.workers[number], world.budget
    if worker.dead:
        yield Move("restarts", world.with_worker(number, worker._replace(dead=False)))
        return
    if worker.frozen:
        yield Move("thaws", world.with_worker(number, worker._replace(frozen=False)), certain=False)
    else:
        yield from _hears(world, number)
    if budget.freezes and not worker.frozen:
        after = world.spend("freezes").with_worker(number, worker._replace(frozen=True))
        to = tuple(None if each == number else each for each in world.assigned_to)
        yield Move("freezes", after._replace(assigned_to=to), certain=False)
    if budget.crashes:
        yield from crash(world.spend("crashes"), number)
    if budget.timeouts:
        yield from _timeouts(world, number)


def _hears(world: World, number: int) -> Moves:
    """Of all lanes at once that the group has given to others without it, or that one shall be given up."""
    assigned = [lane for lane, hold in enumerate(world.workers[number].holds) if hold.assigned]
    mine = [lane for lane in world.lanes if world.assigned_to[lane] == number]
    if lost := [lane for lane in assigned if lane not in mine]:
        yield Move("notices that it was expelled", _told(world, number, lost))
    if world.budget.reassignments:
        for lane in mine:
            after = _told(world.spend("reassignments"), number, [lane]).assigned(lane, None)
            yield Move(f"gets lane {lane} revoked", after, certain=False)


def _told(world: World, number: int, lanes: Sequence[int]) -> World:
    for lane in lanes:
        hold = world.workers[number].holds[lane]
        world = world.with_hold(number, lane, hold._replace(assigned=False))
    return world


def _timeouts(world: World, number: int) -> Moves:
    for transaction in world.transactions:
        if not transaction.prepared and transaction.term == world.term(number):
            after = kafka.end_producer(world.spend("timeouts"), transaction.term, transaction.producer)
            if after is not None:
                yield Move("has its transaction aborted by Kafka", after, certain=False)
