"""Holding the lane in the model: store, publish meanwhile, release; each as the real decisions say."""

from __future__ import annotations

from tests.runtime.explorer import kafka, postgres
from tests.runtime.explorer.ending import end_transaction, go_on, idle, in_flight
from tests.runtime.explorer.world import Move, Moves, World
from workers.runtime import protocol
from workers.runtime.protocol import Outcome

AHEAD_MAX = 2
"""Batches that are stored and not confirmed: one is being published, one waits for it."""


def work(world: World, number: int) -> Moves:
    """Hold the lane: store, publish, release."""
    yield from _store(world, number)
    yield from _publish(world, number)
    yield from _release(world, number)


def _store(world: World, number: int) -> Moves:
    worker = world.workers[number]
    ahead = worker.batch_no - worker.confirmed
    if not worker.assigned or worker.batch_no >= len(world.units):
        return
    if ahead >= (AHEAD_MAX if worker.publishing else 1) or postgres.locked(world):
        return
    request = postgres.store(world, world.term(number), worker.batch_no, worker.confirmed)
    if request is None:
        yield from go_on("cannot store", world, number, protocol.after_store(outcome=Outcome.REFUSED), world)
        return
    done, _ = postgres.execute(world, request)
    done = done.with_worker(number, worker._replace(batch_no=worker.batch_no + 1))
    yield from go_on(
        f"stores {worker.batch_no + 1}", done, number, protocol.after_store(outcome=Outcome.OK), world
    )
    if world.budget.postgres:
        unknown = in_flight(world.spend("postgres"), request)
        end = protocol.after_store(outcome=Outcome.UNKNOWN)
        went_on = unknown.with_worker(number, worker._replace(batch_no=worker.batch_no + 1))
        yield from go_on(f"stores {worker.batch_no + 1}, no answer", went_on, number, end, unknown)


def _publish(world: World, number: int) -> Moves:
    worker = world.workers[number]
    term = world.term(number)
    if worker.publishing:
        for name, after, outcome in end_transaction(world, number):
            confirmed = after.workers[number]._replace(confirmed=worker.confirmed + 1)
            end = protocol.after_publish(outcome=outcome)
            yield from go_on(name, after.with_worker(number, confirmed), number, end, after)
    elif worker.confirmed < worker.batch_no and not kafka.busy(world, term, worker.producer):
        batch = worker.confirmed + 1
        begun = kafka.begin(world, term, worker.producer, (batch,), batch)
        if begun is None:
            end = protocol.after_publish(outcome=Outcome.REFUSED)
            yield from go_on("cannot publish", world, number, end, world)
        else:
            after = begun.with_worker(number, worker._replace(publishing=True))
            yield Move(f"begins to publish {batch}", after)


def _release(world: World, number: int) -> Moves:
    worker = world.workers[number]
    unconfirmed = worker.batch_no - worker.confirmed
    if worker.assigned or worker.publishing or not protocol.may_release(unconfirmed=unconfirmed):
        return
    if postgres.locked(world):
        return
    request = postgres.release(world, world.term(number), worker.batch_no)
    if request is None:
        end = protocol.after_release(outcome=Outcome.REFUSED)
        yield from go_on("cannot release", idle(world, number), number, end, world)
        return
    done, _ = postgres.execute(world, request)
    end = protocol.after_release(outcome=Outcome.OK)
    yield from go_on("releases", idle(done, number), number, end, done)
    if world.budget.postgres:
        unknown = in_flight(world.spend("postgres"), request)
        end = protocol.after_release(outcome=Outcome.UNKNOWN)
        yield from go_on("releases, no answer", idle(unknown, number), number, end, unknown)
