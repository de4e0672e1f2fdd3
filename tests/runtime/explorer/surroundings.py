"""What happens around the workers in the model: the group, faults, requests that land late."""

from __future__ import annotations

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
            yield Move(f"Kafka completes batch {transaction.batch_no}", kafka.complete(world, transaction))


def _landings(world: World) -> Moves:
    for request in world.requests:
        rest = world._replace(requests=tuple(other for other in world.requests if other is not request))
        yield Move(f"{request.what} of {request.term} never lands", rest)
        if not postgres.locked(world) or request.row is not None or request.what == "end":
            yield Move(f"{request.what} of {request.term} lands", _landed(rest, request))


def _landed(world: World, request: Request) -> World:
    if request.what == "end":
        return kafka.end_transaction(world, request.term, request.producer)[0]
    return postgres.execute(world, request)[0]


def _assignments(world: World) -> Moves:
    """The group assigns the lane when everybody has let go of it who could be asked to."""
    if world.assigned_to is not None:
        return
    if any(not (w.assigned or w.frozen) and w.phase not in {"idle", "dead"} for w in world.workers):
        return
    for number, worker in enumerate(world.workers):
        if not (worker.assigned or worker.frozen or worker.phase == "dead"):
            after = world.with_worker(number, worker._replace(assigned=True))
            yield Move(f"the lane is assigned to {LETTERS[number]}", after._replace(assigned_to=number))


def _happens_to(world: World, number: int) -> Moves:
    worker, budget = world.workers[number], world.budget
    mine = world.assigned_to == number
    if worker.phase == "dead":
        yield Move("restarts", world.with_worker(number, worker._replace(phase="idle")))
        return
    if worker.frozen:
        yield Move("thaws", world.with_worker(number, worker._replace(frozen=False)), certain=False)
    elif worker.assigned and not mine:
        yield Move("notices that it was expelled", _told(world, number))
    if mine and not worker.frozen and budget.reassignments:
        after = _told(world.spend("reassignments"), number)
        yield Move("gets the lane revoked", after._replace(assigned_to=None), certain=False)
    if budget.freezes and not worker.frozen:
        after = world.spend("freezes").with_worker(number, worker._replace(frozen=True))
        yield Move("freezes", after._replace(assigned_to=None if mine else world.assigned_to), certain=False)
    if budget.crashes:
        yield from crash(world.spend("crashes"), number)
    if budget.timeouts:
        yield from _timeouts(world, number)


def _told(world: World, number: int) -> World:
    return world.with_worker(number, world.workers[number]._replace(assigned=False))


def _timeouts(world: World, number: int) -> Moves:
    for transaction in world.transactions:
        if not transaction.prepared and transaction.term == world.term(number):
            after = kafka.end_producer(world.spend("timeouts"), transaction.term, transaction.producer)
            if after is not None:
                yield Move("has its transaction aborted by Kafka", after, certain=False)
