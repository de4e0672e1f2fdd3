"""Storing a batch: one Postgres transaction, with the culprit found and set aside when a handler fails."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import asyncpg
import structlog

from config.error_text import told, whereabouts
from workers.runtime import protocol, trail
from workers.runtime.ahead import Unhurried
from workers.runtime.batch import Batch, EventTooLargeError, Record
from workers.runtime.failures import LaneFailedError, TermEndedError, obey
from workers.runtime.handler import Connection, Handler
from workers.runtime.identity import identity
from workers.runtime.lanes import Lane, Lanes
from workers.runtime.ledger import Ledger
from workers.runtime.logged import logged
from workers.runtime.metrics import BATCH_RECORDS, DEADLETTERED, FORWARDED, RECORDS
from workers.runtime.patience import Patience
from workers.runtime.portions import Ends, Part, Refusals, Stored, halves, refuse
from workers.runtime.postgres import connection_lost, is_unprepared, lacks_memory, lost_a_race
from workers.runtime.protocol import Outcome

log = structlog.get_logger(__name__)

RETRIES_MAX = 5
"""Of a batch that lost to another transaction (serialization failure, deadlock)."""


class TookTooLongError(Exception):
    """Postgres gave up a statement of the handler: it took longer than a statement may, itself."""


class _LateError(Exception):
    """The rest of the batch is left for later: it took too long, and it is not known whose fault that is."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done to a batch's lanes, once it is committed."""

    marked: Container[int]
    """Those whose trail was marked."""
    forgotten: Mapping[int, int]
    """By lane, the last batch that is not pending any more."""


@dataclass(slots=True)
class Store:
    """Drives a handler over batches of one term's lanes."""

    handler: Handler
    ledger: Ledger
    lanes: Lanes
    exceptions_limit: int
    log_ids: Mapping[str, str]
    """Kafka's ids of the input topics."""
    patience: Patience = field(default_factory=Patience)
    ahead: Unhurried = field(default_factory=Unhurried)

    async def batch(
        self,
        connection: Connection,
        me: str,
        wanted: Iterable[Part],
    ) -> Stored:
        """Store each part and leave its lanes at its ends, in one transaction or, after a failure, more.

        Raises TermEndedError when a lane is not mine, the connection's error when it is lost: then the
        outcome is unknown, and Postgres's when the database lacks what the handler needs.
        """
        stored = Stored()
        refusals: Refusals = {}
        parts = list(wanted)
        while parts:
            part, ends = parts.pop(0)
            with logged(self.handler.kind, {lane: self.lanes[lane].batch_no + 1 for lane in ends}):
                try:
                    parts[:0] = await self._part(connection, me, (part, ends), refusals, stored)
                except LaneFailedError as failed:
                    stored.failed = failed
                    break
                except _LateError:
                    log.warning("batch_took_too_long", records=len(part))
                    stored.is_late = True
                    break
        return stored

    async def _part(
        self, connection: Connection, me: str, part: Part, refusals: Refusals, stored: Stored
    ) -> list[Part]:
        """Store it, or return what to try instead."""
        error = await self._try(connection, me, *part, refusals, stored)
        if error is None:
            return []
        self.handler.forget(part[1].keys())
        return self._without(error, *part, refusals)

    async def _try(
        self,
        connection: Connection,
        me: str,
        records: Sequence[Record],
        ends: Ends,
        refusals: Refusals,
        stored: Stored,
    ) -> Exception | None:
        """Store them, or return what the handler raised; then nothing has changed."""
        for attempt in range(RETRIES_MAX + 1):
            try:
                batch, clocks = self._batch(records, refusals)
                applied = await self._apply(connection, me, batch, ends, clocks)
            except TermEndedError:
                raise  # no record is to blame
            except Exception as error:
                if lacks_memory(error):
                    raise MemoryError from error  # nor here
                if connection_lost(error, connection) or is_unprepared(error):
                    raise  # nor here
                await connection.execute("ROLLBACK")
                await self._undo_ahead()
                if lost_a_race(error) and attempt < RETRIES_MAX:
                    self.handler.forget(ends.keys())
                    continue
                return error
            self.ahead.read_on()
            await _commit(connection)
            self._stored(batch, ends, clocks, applied, stored)
            return None
        raise AssertionError("the last attempt returns or raises")

    async def _undo_ahead(self) -> None:
        """What follows may be stored in parts, which are published as one: nothing is begun for them."""
        await self.ahead.abort()
        self.ahead = Unhurried()

    def _batch(self, records: Sequence[Record], refusals: Refusals) -> tuple[Batch, dict[int, int]]:
        """The batch, and its lanes' clocks after it. A refused record has been read, too."""
        clocks: dict[int, int] = {}
        at_ms = []
        for record in records:
            now = max(clocks.get(record.lane, self.lanes[record.lane].at_ms), record.timestamp_ms)
            clocks[record.lane] = now
            at_ms.append(now)
        cuts = {(topic, lane): cut for lane in clocks for topic, cut in self.lanes[lane].cuts.items()}
        batch = Batch(self.handler.kind, records, at_ms, self.log_ids, cuts=cuts)
        if refusals:
            refuse(batch, refusals)
        return batch, clocks

    async def _apply(
        self,
        connection: Connection,
        me: str,
        batch: Batch,
        ends: Ends,
        clocks: Mapping[int, int],
    ) -> Applied:
        """In a new transaction. The compare-and-swap comes first: who is not the owner does not even
        begin."""
        lanes = [self.lanes[lane] for lane in ends]
        offsets = [ends[lane.id] for lane in lanes]
        at_ms = [clocks.get(lane.id, lane.at_ms) for lane in lanes]
        mine = await self.ledger.begin(connection, me, lanes, offsets, at_ms)
        obey(protocol.after_store(outcome=Outcome.of_swap(mine)))
        numbers = {lane.id: (lane.batch_no + 1, ends[lane.id]) for lane in lanes}
        batch.on_emitted = lambda: self.ahead.begin(chain(*batch.events.values()), numbers)
        if batch.records:
            await self._handle(connection, batch)
        await batch.emitted()
        for lane in lanes:
            if lane.published_ahead:
                await self._leave_out_published(connection, batch, lane)
        marked = {lane.id for lane in lanes if self._tell_trail(batch, lane, ends[lane.id])}
        events = [batch.events.get(lane.id, []) for lane in lanes]
        return Applied(marked, await self.ledger.keep_pending(connection, lanes, offsets, events))

    async def _handle(self, connection: Connection, batch: Batch) -> None:
        """Who waits for a lock that somebody else holds is given up earlier, with another error."""
        try:
            await self.handler.handle(connection, batch)
        except asyncpg.QueryCanceledError as error:
            raise TookTooLongError(str(error)) from error

    def _tell_trail(self, batch: Batch, lane: Lane, end: dict[str, int]) -> bool:
        """Mark an event of the lane with where this batch ends, and those before it that had none."""
        events = batch.events.get(lane.id, [])
        place = next((place for place, event in enumerate(events) if trail.may_tell(event)), None)
        if place is None or len(self.handler.inputs) == 1:
            return False
        events[place] = trail.mark(events[place], [*lane.untold, end], self.handler.inputs)
        return True

    async def _leave_out_published(self, connection: Connection, batch: Batch, lane: Lane) -> None:
        """Derived again after a restore: readers have these events already."""
        events = batch.events.get(lane.id, [])
        again = {identity(event.topic, event.headers) for event in events} & lane.published_ahead
        batch.events[lane.id] = [e for e in events if identity(e.topic, e.headers) not in again]
        await self.ledger.forget_published_ahead(connection, lane.id, sorted(again))

    def _stored(
        self,
        batch: Batch,
        ends: Ends,
        clocks: Mapping[int, int],
        applied: Applied,
        stored: Stored,
    ) -> None:
        read = {record.lane for record in batch.records}
        for lane_no, offsets in ends.items():
            lane = self.lanes[lane_no]
            lane.batch_no += 1
            lane.next_offsets = offsets
            lane.forgotten = applied.forgotten[lane_no]
            if lane_no in applied.marked:
                lane.untold = []
            elif lane_no in read:
                lane.untold = [*lane.untold[1 - trail.REMEMBERED_MAX :], offsets]
            stored.add(lane, batch.events.get(lane_no, []))
        for lane_no, at_ms in clocks.items():
            self.lanes[lane_no].at_ms = at_ms
        for lane_no in read:
            self.lanes[lane_no].exceptions_in_a_row = 0
        RECORDS.labels(self.handler.kind).inc(len(batch.records))
        BATCH_RECORDS.labels(self.handler.kind).observe(len(batch.records))
        DEADLETTERED.labels(self.handler.kind).inc(batch.rejected)
        FORWARDED.labels(self.handler.kind).inc(batch.forwarded)

    def _without(
        self,
        error: Exception,
        records: Sequence[Record],
        ends: Ends,
        refusals: Refusals,
    ) -> list[Part]:
        """What to try next: the same without the culprit when it is known, else one half after the other."""
        if isinstance(error, EventTooLargeError):
            cause = error.cause
            log.warning("event_too_large", lane=cause.lane, topic=cause.topic, offset=cause.offset)
            refusals[cause.topic, cause.lane, cause.offset] = ("too_large", str(error))
            return [(records, ends)]
        candidates = [r for r in records if (r.topic, r.lane, r.offset) not in refusals]
        if not candidates:
            raise error
        if isinstance(error, TookTooLongError) and not self.patience.took_too_long(candidates):
            raise _LateError
        if len(candidates) > 1:
            return halves(records, ends, self.lanes)
        [culprit] = candidates
        self._count_exception(culprit, error)
        detail = ", at ".join(part for part in (told(error), whereabouts(error)) if part)
        refusals[culprit.topic, culprit.lane, culprit.offset] = ("handler_failed", detail)
        return [(records, ends)]

    def _count_exception(self, culprit: Record, error: Exception) -> None:
        where = {"lane": culprit.lane, "topic": culprit.topic, "offset": culprit.offset}
        log.error("handler_failed", **where, exc_info=error)
        lane = self.lanes[culprit.lane]
        lane.exceptions_in_a_row += 1
        if lane.exceptions_in_a_row >= self.exceptions_limit:
            raise LaneFailedError(lane.id, error)


async def _commit(connection: Connection) -> None:
    """Raises TermEndedError: of what failed unheard within the transaction Postgres commits nothing."""
    status = await connection.execute("COMMIT")
    obey(protocol.after_store(outcome=Outcome.of_swap(status == "COMMIT")))
