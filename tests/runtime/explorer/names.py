"""The same state under one name: terms that are forgotten leave no trace, lives are counted from 0."""

from __future__ import annotations

from tests.runtime.explorer.world import Request, Row, Term, Worker, World

Names = dict[Term, Term]
"""Old name to new."""


def renamed(world: World) -> World:
    """The state that stands for all those which differ only in names; so there are finitely many."""
    world = _without_forgotten(world)
    workers = tuple(_producer_renamed(world, number) for number in range(len(world.workers)))
    names = _names(world)
    if not names:
        return world if workers == world.workers else world._replace(workers=workers)
    return world._replace(
        workers=tuple(_worker(names, world.term(number), worker) for number, worker in enumerate(workers)),
        rows=tuple(_row(names, row) for row in world.rows),
        transactions=tuple(t._replace(term=names[t.term]) for t in world.transactions),
        ended=frozenset((names[term], producer) for term, producer in world.ended),
        requests=tuple(_request(names, request) for request in world.requests),
    )


def _worker(names: Names, term: Term, worker: Worker) -> Worker:
    holds = tuple(hold._replace(owner=_name(names, hold.owner)) for hold in worker.holds)
    return worker._replace(life=int(names[term][1:]), holds=holds)


def _request(names: Names, request: Request) -> Request:
    return request._replace(
        term=names[request.term],
        expected=_name(names, request.expected),
        rows=tuple((lane, _row(names, row)) for lane, row in request.rows),
    )


def _row(names: Names, row: Row) -> Row:
    return row._replace(owner=_name(names, row.owner))


def _name(names: Names, term: Term | None) -> Term | None:
    return None if term is None else names[term]


def _without_forgotten(world: World) -> World:
    """Of terms that are over, only EndTxns on their way and what is being completed can still act."""
    if not world.ended and not world.transactions:
        return world
    acting = {world.term(number) for number, worker in enumerate(world.workers) if not worker.dead}
    acting |= {request.term for request in world.requests if request.what == "end"}
    return world._replace(
        transactions=tuple(t for t in world.transactions if t.prepared or t.term in acting),
        ended=frozenset(pair for pair in world.ended if pair[0] in acting),
    )


def _producer_renamed(world: World, number: int) -> Worker:
    """While the producers have done and suffered the same, they are alike."""
    worker = world.workers[number]
    if worker.producer:
        term = world.term(number)
        different = sum(ended == term for ended, _ in world.ended) == 1
        different = different or any(t.term == term for t in world.transactions)
        if not different and not any(request.term == term for request in world.requests):
            return worker._replace(producer=0)
    return worker


def _names(world: World) -> Names:
    """New names in the order of lives, without gaps; empty when they are so already."""
    used = {world.term(number) for number in range(len(world.workers))}
    used.update(transaction.term for transaction in world.transactions)
    used.update(term for term, _ in world.ended)
    owners = [hold.owner for worker in world.workers for hold in worker.holds]
    owners += [row.owner for row in world.rows]
    for request in world.requests:
        used.add(request.term)
        owners += [request.expected, *(row.owner for _, row in request.rows)]
    used.update(owner for owner in owners if owner is not None)
    lives: dict[str, int] = {}
    names = {}
    for term in sorted(used):
        life = lives.get(term[0], 0)
        lives[term[0]] = life + 1
        names[term] = f"{term[0]}{life}"
    return {} if all(old == new for old, new in names.items()) else names
