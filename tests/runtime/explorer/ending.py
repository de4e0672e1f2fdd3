"""How a term ends in the model: what it leaves behind."""

from __future__ import annotations

from collections.abc import Iterator

from tests.runtime.explorer.world import Move, Moves, Request, Worker, World


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
