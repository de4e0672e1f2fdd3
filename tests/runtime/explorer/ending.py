"""How a transaction, a lane's holding and a term end in the model, and what they leave behind."""

from __future__ import annotations

from collections.abc import Iterator

from tests.runtime.explorer import kafka
from tests.runtime.explorer.world import PRODUCERS, Move, Moves, Request, Worker, World
from workers.runtime.protocol import EndTerm, Outcome


def in_flight(world: World, request: Request) -> World:
    """It was sent. An EndTxn of a producer that has been ended can do nothing any more."""
    if request.what == "end" and (request.term, request.producer) in world.ended:
        return world
    return world._replace(requests=(*world.requests, request))


def end_term(name: str, world: World, number: int) -> Moves:
    """Forget everything, release nothing, begin a new term. An EndTxn may be on its way."""
    for how, left in _left_behind(world, number):
        fresh = Worker(life=world.workers[number].life + 1, assigned=world.workers[number].assigned)
        yield Move(f"{name}{how}", left.with_worker(number, fresh))


def crash(world: World, number: int) -> Moves:
    """The process is gone; the group notices."""
    for how, left in _left_behind(world, number):
        dead = Worker(life=world.workers[number].life + 1, phase="dead")
        to = None if left.assigned_to == number else left.assigned_to
        after = left.with_worker(number, dead)._replace(assigned_to=to)
        yield Move(f"crashes{how}", after, certain=False)


def _left_behind(world: World, number: int) -> Iterator[tuple[str, World]]:
    yield "", world
    worker = world.workers[number]
    sent = in_flight(world, Request("end", world.term(number), producer=worker.producer))
    if worker.publishing and sent is not world:
        yield ", its EndTxn on its way", sent


def end_transaction(world: World, number: int) -> list[tuple[str, World, Outcome]]:
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


def idle(world: World, number: int) -> World:
    """Forget the lane."""
    worker = world.workers[number]
    fresh = Worker(life=worker.life, assigned=worker.assigned, frozen=worker.frozen, producer=worker.producer)
    return world.with_worker(number, fresh)


def go_on(name: str, after: World, number: int, end: EndTerm | None, ended: World) -> Moves:
    """Go on in `after`, or end the term in `ended`."""
    if end is None:
        yield Move(name, after)
    else:
        yield from end_term(f"{name}: {end.reason}", ended, number)
