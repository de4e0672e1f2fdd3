"""Recovering a stopped lane: makes Postgres, the group and the topics agree, publishing nothing twice.

Whatever stopped it, the same steps lead back: end its owner, look up which of its events readers have,
publish the pending ones that they lack, remember those they have and the lane will derive again (Postgres
was restored to an earlier time), set the group to the row, let it run. Safe to repeat.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from config.errors import TongdaiError
from config.settings import Settings
from workers.runtime import protocol, trail
from workers.runtime.batch import Event
from workers.runtime.handler import Connection, Handler
from workers.runtime.identity import identity
from workers.runtime.lanes import Lane
from workers.runtime.ledger import Ledger, StoredLane
from workers.runtime.postgres import connect, disconnect
from workers.runtime.protocol import Outcome
from workers.runtime.published import read_published
from workers.runtime.repetition import Repetition
from workers.runtime.source import read_bounds
from workers.runtime.term import Term
from workers.runtime.topology import Topology

log = structlog.get_logger(__name__)

_STOPPED = "SELECT kind, id, stopped FROM lane WHERE stopped IS NOT NULL ORDER BY kind, id"


class RecoveryError(TongdaiError):
    """The lane could not be recovered; nothing has changed."""


@dataclass(frozen=True, slots=True)
class StoppedLane:
    """A lane that waits for an operator."""

    kind: str
    lane: int
    reason: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was done: events published now, events that will not be published again, records that were
    read again, records given up."""

    kind: str
    lane: int
    published: int
    known_ahead: int
    repeated: int
    skipped: dict[str, int]


async def stopped_lanes(connection: Connection) -> list[StoppedLane]:
    """All lanes that are stopped, with the reason."""
    return [StoppedLane(*record) for record in await connection.fetch(_STOPPED)]


async def recover(
    settings: Settings, topology: Topology, handler: Handler, lane: int, *, accept_loss: bool
) -> Recovered:
    """Let a stopped lane run again.

    `accept_loss`: go on behind records that the log no longer has; without it they are an error.
    Raises RecoveryError, DependencyDownError.
    """
    connection = await connect(settings, "tongdai recover")
    try:
        term = await Term.begin(handler.kind, topology, settings)
        try:
            return await _recover(settings, topology, connection, term, handler, lane, accept_loss)
        except TimeoutError as error:
            raise RecoveryError("the topics could not be read to their ends in time; repeat") from error
        finally:
            await term.end()
    finally:
        await disconnect(connection)


async def _recover(
    settings: Settings,
    topology: Topology,
    connection: Connection,
    term: Term,
    handler: Handler,
    lane: int,
    accept_loss: bool,
) -> Recovered:
    kind, ledger = handler.kind, Ledger(handler.kind)
    stored = await _seize(ledger, connection, term, lane)
    offsets, skipped = await _readable_offsets(settings, topology, handler, stored, lane)
    if skipped and not accept_loss:
        told = ", ".join(f"{count} records of {topic}" for topic, count in skipped.items())
        raise RecoveryError(f"the log no longer has {told}; repeat with --accept-loss to go on behind them")
    published = await read_published(settings, topology, kind, lane, stored.at_ms)
    batches = (await ledger.pending(connection, [lane])).get(lane, {})
    pending = [event for batch in batches.values() for event in batch]
    missing = [event for event in pending if identity(event.topic, event.headers) not in published]
    ahead = sorted(published.keys() - {identity(event.topic, event.headers) for event in pending})
    await ledger.keep_published_ahead(connection, lane, ahead)
    await _publish(term, missing, lane, stored.row.batch_no, offsets)
    # Where portions ended on a topic that is gone says nothing of the one that was made again.
    is_same = not protocol.made_again(stored.row.log_ids, topology.ids)
    portions = [
        ends
        for told in published.values()
        if told and is_same
        for ends in trail.portions_of(told, handler.inputs)
    ]
    mine = await _lane(ledger, connection, stored, lane, offsets)
    repeated = await Repetition(handler, topology, settings, term, mine).run(
        connection, trail.onward(portions, offsets)
    )
    log_ids = {topic: topology.ids[topic] for topic in handler.inputs}
    async with connection.transaction():
        if not await ledger.resume(connection, term.id, lane, mine.next_offsets, log_ids):
            raise RecoveryError("another took the lane meanwhile; repeat")
    log.info("lane_recovered", kind=kind, lane=lane, published=len(missing), known_ahead=len(ahead))
    return Recovered(kind, lane, len(missing), len(ahead), repeated, skipped)


async def _lane(
    ledger: Ledger, connection: Connection, stored: StoredLane, lane: int, offsets: dict[str, int]
) -> Lane:
    """The lane as whoever holds it has it, to be read from these offsets."""
    ahead = await ledger.published_ahead(connection, [lane])
    batch_no = stored.row.batch_no
    return Lane(
        lane,
        batch_no,
        offsets,
        stored.at_ms,
        confirmed=batch_no,
        published_ahead=ahead.get(lane, set()),
    )


async def _seize(ledger: Ledger, connection: Connection, term: Term, lane: int) -> StoredLane:
    stored = (await ledger.read(connection, [lane])).get(lane)
    if stored is None:
        raise RecoveryError(f"there is no lane {ledger.kind}/{lane}")
    if stored.row.stopped is None:
        raise RecoveryError(f"lane {ledger.kind}/{lane} is not stopped")
    if stored.row.owner is not None:
        await term.fence(stored.row.owner)
    if not await ledger.seize(connection, term.id, lane, stored.row.owner):
        raise RecoveryError("another took the lane meanwhile; repeat")
    return (await ledger.read(connection, [lane]))[lane]


async def _readable_offsets(
    settings: Settings, topology: Topology, handler: Handler, stored: StoredLane, lane: int
) -> tuple[dict[str, int], dict[str, int]]:
    """The row's offsets moved into what the log still has, and how many records that skips by topic.

    Of a topic that was made again nobody knows how many there were: all that were read count, one at least.
    """
    bounds = await read_bounds(settings, topology, handler.inputs, lane)
    offsets = {topic: first for topic, (first, _) in bounds.items()} | dict(stored.row.next_offsets)
    others = protocol.made_again(stored.row.log_ids, topology.ids)
    skipped = {}
    for topic, (first, end) in bounds.items():
        if topic in others:
            skipped[topic] = max(1, offsets[topic])
            offsets[topic] = first
        elif offsets[topic] < first:
            skipped[topic] = first - offsets[topic]
        if not first <= offsets[topic] <= end:
            offsets[topic] = first
    return offsets, skipped


async def _publish(
    term: Term, events: list[Event], lane: int, batch_no: int, offsets: dict[str, int]
) -> None:
    if await term.publish(events, {lane: (batch_no, offsets)}) is not Outcome.OK:
        raise RecoveryError("Kafka did not confirm the transaction; repeat")
