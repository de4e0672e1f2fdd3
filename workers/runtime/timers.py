"""Timers that have come due: published to the lane's own input by a batch without records.

Such a batch moves no offset; its number, in the row and in the offsets' metadata, carries it.
"""

from __future__ import annotations

from schemas import envelope
from schemas.base import rfc3339
from schemas.ids import uuid5
from workers.runtime import protocol
from workers.runtime.batch import Event, TimerDue
from workers.runtime.failures import obey
from workers.runtime.handler import Connection, Handler
from workers.runtime.identity import identity, lane_source
from workers.runtime.lanes import Lane, Lanes
from workers.runtime.ledger import Ledger
from workers.runtime.portions import Stored
from workers.runtime.protocol import Outcome

TIMERS_MAX = 1_000
"""Timers that one batch publishes, at most; the next ones follow at the next round."""


async def store_due(
    handler: Handler, ledger: Ledger, connection: Connection, me: str, lanes: Lanes, *, now_ms: int
) -> Stored:
    """Store a batch with the timers due at `now_ms` (whoever is early only proposes), if there are any.

    Raises TermEndedError when a lane is not mine.
    """
    stored = Stored()
    async with connection.transaction():
        due = await handler.due_timers(connection, lanes.ids, now_ms, TIMERS_MAX)
        if not due:
            return stored
        events: dict[int, list[Event]] = {}
        for timer in due:
            event = _event(handler.kind, timer, lanes[timer.lane], now_ms)
            # Published before Postgres was restored: it lies in the log and acts when it is read.
            known = identity(event.topic, event.headers) in lanes[timer.lane].published_ahead
            events.setdefault(timer.lane, []).extend([] if known else [event])
        mine = [lanes[lane] for lane in events]
        offsets = [lane.next_offsets for lane in mine]
        advanced = await ledger.advance(connection, me, mine, offsets, [lane.at_ms for lane in mine])
        obey(protocol.after_store(outcome=Outcome.of_swap(advanced)))
        await ledger.keep_pending(connection, mine, offsets, list(events.values()))
    for lane in mine:
        lane.batch_no += 1
        stored.add(lane, events[lane.id])
    return stored


def _event(kind: str, timer: TimerDue, lane: Lane, now_ms: int) -> Event:
    # What came before its time comes again. By then its lane has read further, at least what came.
    place = "/".join(f"{topic}/{offset}" for topic, offset in sorted(lane.next_offsets.items()))
    headers = envelope.headers(
        timer.kind,
        id_=uuid5(timer.id.bytes, place),
        source=lane_source(kind, timer.lane),
        subject=timer.key.decode(),
        time=rfc3339(envelope.moment(now_ms)),
    )
    return Event(timer.topic, timer.lane, timer.key, timer.value, headers)
