"""Postgres in the model: the lane's row, changed by compare-and-swap."""

from __future__ import annotations

from tests.runtime.explorer.world import Request, Row, Term, World
from workers.runtime.protocol import Outcome


def stored(row: Row, confirmed: int) -> Row:
    """The row after one batch more; what is confirmed is forgotten, nothing else."""
    number = row.batch_no + 1
    unconfirmed = tuple(batch for batch in row.pending if batch > confirmed)
    return row._replace(batch_no=number, pending=(*unconfirmed, number))


def released(row: Row) -> Row:
    """The row without an owner, nothing of it being unconfirmed."""
    return row._replace(owner=None, pending=())


def store(world: World, term: Term, batch_no: int, confirmed: int) -> Request | None:
    """A batch up to its COMMIT; none: the row is not this term's, or not as it was."""
    row = world.row
    if (row.owner, row.batch_no) != (term, batch_no):
        return None
    return Request("store", term, row=stored(row, confirmed))


def release(world: World, term: Term, batch_no: int) -> Request | None:
    """Giving the lane up, up to its COMMIT; none: not this term's, or not as it was."""
    row = world.row
    if (row.owner, row.batch_no) != (term, batch_no):
        return None
    return Request("release", term, row=released(row))


def locked(world: World) -> bool:
    """Whether somebody's COMMIT is awaited: who wants to change the row waits, or ends that session."""
    return any(request.row is not None for request in world.requests)


def execute(world: World, request: Request) -> tuple[World, Outcome]:
    """What it does when it lands."""
    if request.row is not None:
        return world._replace(row=request.row), Outcome.OK
    if world.row.owner != request.expected:
        return world, Outcome.REFUSED
    return world._replace(row=world.row._replace(owner=request.term)), Outcome.OK
