"""Postgres in the model: the lanes' rows, changed by compare-and-swap."""

from __future__ import annotations

from collections.abc import Collection

from tests.runtime.explorer.world import Request, Row, World
from workers.runtime.protocol import Outcome


def stored(row: Row, confirmed: int) -> Row:
    """The row after one batch more; what is confirmed is forgotten, nothing else."""
    number = row.batch_no + 1
    unconfirmed = tuple(batch for batch in row.pending if batch > confirmed)
    return row._replace(batch_no=number, pending=(*unconfirmed, number))


def released(row: Row) -> Row:
    """The row without an owner, nothing of it being unconfirmed."""
    return row._replace(owner=None, pending=())


def is_as_known(world: World, number: int, lanes: Collection[int]) -> bool:
    """Whether the row of each of these lanes is this worker's, and as it left it."""
    term, holds = world.term(number), world.workers[number].holds
    return all(
        (world.rows[lane].owner, world.rows[lane].batch_no) == (term, holds[lane].batch_no) for lane in lanes
    )


def store(world: World, number: int, lanes: Collection[int]) -> Request | None:
    """A batch over these lanes up to its COMMIT; none: a row is not this term's, or not as it was."""
    if not is_as_known(world, number, lanes):
        return None
    holds = world.workers[number].holds
    rows = tuple((lane, stored(world.rows[lane], holds[lane].confirmed)) for lane in lanes)
    return Request("store", world.term(number), rows=rows)


def release(world: World, number: int, lane: int) -> Request | None:
    """Giving the lane up, up to its COMMIT; none: not this term's, or not as it was."""
    if not is_as_known(world, number, (lane,)):
        return None
    return Request("release", world.term(number), rows=((lane, released(world.rows[lane])),))


def locked(world: World, lanes: Collection[int]) -> bool:
    """Whether somebody's COMMIT is awaited: who wants to change a row waits, or ends that session."""
    return any(lane in lanes for request in world.requests for lane, _ in request.rows)


def execute(world: World, request: Request) -> tuple[World, Outcome]:
    """What it does when it lands."""
    if request.what == "claim":
        row = world.rows[request.lane]
        if row.owner != request.expected:
            return world, Outcome.REFUSED
        return world.with_row(request.lane, row._replace(owner=request.term)), Outcome.OK
    for lane, row in request.rows:
        world = world.with_row(lane, row)
    return world, Outcome.OK
