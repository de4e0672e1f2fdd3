"""How a transaction, a lane's holding and a term end in the model, and what they leave behind."""

from __future__ import annotations

from collections.abc import Iterator

from tests.runtime.explorer import kafka
from tests.runtime.explorer.world import PRODUCERS, Hold, Move, Moves, Request, Worker, World
from workers.runtime.protocol import EndTerm, Outcome


def in_flight(world: World, request: Request) -> World:
    """It was sent. An EndTxn of a producer that has been ended can do nothing any more."""
    if request.what == "end" and (request.term, request.producer) in world.ended:
        return world
    return world._replace(requests=(*world.requests, request))


def end_term(name: str, world: World, number: int) -> Moves:
    """Forget everything, release nothing, begin a new term. An EndTxn may be on its way."""
    worker = world.workers[number]
    for how, left in _left_behind(world, number):
        holds = tuple(Hold(assigned=hold.assigned) for hold in worker.holds)
        yield Move(f"{name}{how}", left.with_worker(number, Worker(holds, life=worker.life + 1)))


def crash(world: World, number: int) -> Moves:
    """The process is gone; the group notices."""
    worker = world.workers[number]
    for how, left in _left_behind(world, number):
        dead = Worker((Hold(),) * len(worker.holds), life=worker.life + 1, dead=True)
        to = tuple(None if each == number else each for each in left.assigned_to)
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


def abort_transaction(world: World, number: int) -> list[tuple[str, World, Outcome]]:
    """The same of an EndTxn that undoes what was begun ahead."""
    worker = world.workers[number]
    freed = worker._replace(ahead=(), producer=(worker.producer + 1) % PRODUCERS)
    aborted, outcome = kafka.abort(world, world.term(number), worker.producer)
    answers = [(f"aborts {outcome.name}", aborted.with_worker(number, freed), outcome)]
    if world.budget.kafka:
        for how, after in (("no answer", aborted), ("which never lands", world)):
            unknown = after.spend("kafka").with_worker(number, freed)
            answers.append((f"aborts, {how}", unknown, Outcome.UNKNOWN))
    return answers


def idle(world: World, number: int, lane: int) -> World:
    """Forget the lane."""
    worker = world.workers[number]
    stored = tuple(tuple(each for each in batch if each != lane) for batch in worker.stored)
    others = worker._replace(stored=tuple(batch for batch in stored if batch))
    forgotten = others.with_hold(lane, Hold(assigned=worker.holds[lane].assigned))
    return world.with_worker(number, forgotten)


def go_on(name: str, after: World, number: int, end: EndTerm | None, ended: World) -> Moves:
    """Go on in `after`, or end the term in `ended`."""
    if end is None:
        yield Move(name, after)
    else:
        yield from end_term(f"{name}: {end.reason}", ended, number)
