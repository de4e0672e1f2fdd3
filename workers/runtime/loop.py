"""The loop over the lanes that a worker owns: poll, store, publish, with the next batch overlapping."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

import structlog
from aiokafka.errors import KafkaError

from config.settings import Settings
from workers.runtime import protocol
from workers.runtime.ahead import Ahead, Unhurried
from workers.runtime.batch import Record
from workers.runtime.failures import DependencyDownError, TermEndedError, obey
from workers.runtime.halves import Halves
from workers.runtime.handler import Connection, Handler
from workers.runtime.lanes import Lanes
from workers.runtime.ledger import Ledger
from workers.runtime.logged import logged
from workers.runtime.metrics import HELD_BACK, LAG, LANES_HELD, LANES_STOPPED, PUBLISH_SECONDS, STORE_SECONDS
from workers.runtime.patience import Patience
from workers.runtime.portions import Part, Stored, behind
from workers.runtime.protocol import Outcome
from workers.runtime.sessions import Sessions
from workers.runtime.source import Polled, Source
from workers.runtime.store import Store
from workers.runtime.takeover import Takeover, stop_lane
from workers.runtime.term import Term
from workers.runtime.timers import store_due

log = structlog.get_logger(__name__)

IDLE_COMMIT_INTERVAL_S = 1.0
"""Positions that moved without a record (transaction markers) are committed this often."""
TIMER_INTERVAL_S = 1.0
STOPPED_CHECK_INTERVAL_S = 5.0
LOGS_CHECK_INTERVAL_S = 5.0
OBSERVE_INTERVAL_S = 0.25
"""Gauges and the watchdog need no more; a look at every lane costs as much as a small batch."""


@dataclass(slots=True)
class Loop:
    """One term's work on one kind of lane. A failure ends the term; whoever made this one makes a new one."""

    handler: Handler
    source: Source
    takeover: Takeover
    ledger: Ledger
    settings: Settings
    term: Term
    sessions: Sessions
    stopped: dict[int, str]
    """Lanes that wait for an operator, and why."""
    log_ids: Mapping[str, str]
    """Kafka's ids of the input topics."""
    patience: Patience = field(default_factory=Patience)
    """What was too much at once; it outlives a term."""
    lanes: Lanes = field(default_factory=Lanes)
    moved_at: float = field(default_factory=monotonic)
    """When a batch was last confirmed, or there was nothing to do."""
    lag: int = 0
    """Records that waited behind the held lanes' positions at the last look at them."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _publishing: asyncio.Task[None] | None = None
    _ahead: Unhurried = field(default_factory=Unhurried)
    """What is begun for the batch that is being stored."""
    _idle_commit_at: float = 0.0
    _timers_at: float = 0.0
    _stopped_checked_at: float = 0.0
    _logs_checked_at: float = 0.0
    _observed_at: float = 0.0

    @property
    def connection(self) -> Connection:
        return self.sessions.first

    async def step(self, stopping: asyncio.Event) -> None:
        """One round. Raises TermEndedError when this term is over."""
        await self._take_over()
        polled = await self.source.poll(self._poll_timeout_s(), stopping)
        async with self._lock:
            # A rebalance meanwhile took the lanes away, or gave them back at another position.
            if polled.generation != self.source.generation:
                return
            await self._stop_expired(polled)
            await self._notice_other_logs()
            records = [record for record in polled.records if record.lane in self.lanes]
            if not await self._work_off(records, stopping):
                await self._store(records)
            await self._timers()
        self._observe()

    async def release(self) -> None:
        """Confirm what is unconfirmed and give all lanes up. Raises TermEndedError when that cannot be."""
        async with self._lock:
            self.takeover.forget()
            await self._confirm()
            if len(self.lanes):
                await self._release(self.lanes.ids)
            self.handler.forget(None)

    def abandon(self) -> None:
        """The term is over: stop reading, forget everything, release nothing."""
        self._ahead.drop()
        if self._publishing is not None:
            self._publishing.cancel()
        self.source.pause(self.lanes.ids)
        self.lanes.drop(self.lanes.ids)
        self.takeover.forget()
        self.handler.forget(None)

    def _poll_timeout_s(self) -> float:
        return self.settings.runtime.poll_timeout_ms / 1000

    async def _take_over(self) -> None:
        async with self._lock:
            wanted = [
                lane
                for lane in sorted(self.source.assigned)
                if lane not in self.lanes and lane not in self.stopped
            ]
            if due := self.takeover.due(wanted):
                # A takeover may publish: at most one Kafka transaction of a term is unconfirmed.
                await self._confirm()
                await self.takeover.attempt(self.term, self.connection, self.lanes, due)
            await self._notice_recovered()

    async def _notice_recovered(self) -> None:
        """An operator may have recovered a stopped lane."""
        if not self.stopped or monotonic() - self._stopped_checked_at < STOPPED_CHECK_INTERVAL_S:
            return
        self._stopped_checked_at = monotonic()
        rows = await self.ledger.read(self.connection, list(self.stopped))
        for lane, stored in rows.items():
            if stored.row.stopped is None:
                del self.stopped[lane]

    async def _work_off(self, records: Sequence[Record], stopping: asyncio.Event) -> bool:
        """Of a backlog, halves of the lanes side by side. False: this is none, or it cannot be done so."""
        takes = self.handler.takes_halves and len(self.lanes) > 1
        if not (takes and self.source.is_backlog(len(records))):
            return False
        if self.patience.bearable(records, self.lanes)[1] or (beside := await self.sessions.second()) is None:
            return False
        await self._confirm()
        halves = Halves(self.source, self._keep, self._publish_now, stopping)
        ended = await halves.work_off(records, self.lanes.ids, [self.connection, beside])
        for stored in ended:
            await self._conclude(stored)
        if ended:
            self._read_again()
        return True

    async def _keep(self, connection: Connection, records: Sequence[Record]) -> Stored:
        """A batch of some lanes, for which nothing is begun ahead."""
        positions = await self.source.positions({record.lane for record in records})
        return await self._store_parts(connection, [(records, positions)], Unhurried())

    async def _store(self, records: Sequence[Record]) -> None:
        positions = await self._positions(records)
        if not positions:
            return
        others, suspects = self.patience.bearable(records, self.lanes)
        is_whole = len(others) == len(records)
        parts = [(records, positions)] if is_whole else self._parts(others, suspects, positions)
        if len(parts) == 1:
            self._ahead = Ahead(self.source, self.term, self.lanes, self._publishing)
        stored = await self._store_parts(self.connection, parts, self._ahead)
        await self._confirm()
        await self._ahead.settle()
        self._ahead = Unhurried()
        await self._publish(stored)
        await self._conclude(stored)
        if stored.leaves_rest or not is_whole:
            self._read_again()

    async def _store_parts(self, connection: Connection, parts: Sequence[Part], ahead: Unhurried) -> Stored:
        started = monotonic()
        limit = self.settings.runtime.exceptions_in_a_row_limit
        store = Store(self.handler, self.ledger, self.lanes, limit, self.log_ids, self.patience, ahead)
        stored = await store.batch(connection, self.term.id, parts)
        STORE_SECONDS.labels(self.handler.kind).observe(monotonic() - started)
        return stored

    async def _conclude(self, stored: Stored) -> None:
        """What follows where not all of a batch could be stored."""
        if stored.failed is not None:
            await self._stop_failed(stored.failed.lane, str(stored.failed))
        if stored.is_late:
            self.moved_at = monotonic()  # one step nearer to whose fault it is

    def _parts(
        self, others: Sequence[Record], suspects: Sequence[Record], positions: Mapping[int, dict[str, int]]
    ) -> list[Part]:
        """First what nothing is wrong with; of suspects' lanes nothing else is read meanwhile."""
        free = {lane: positions[lane] for lane in {record.lane for record in others}}
        parts = [(others, free), (suspects, behind(suspects, self.lanes))]
        return [part for part in parts if part[0]]

    async def _positions(self, records: Sequence[Record]) -> dict[int, dict[str, int]]:
        """Where each lane with records stands; now and then also those that moved without one."""
        lanes = {record.lane for record in records}
        if monotonic() - self._idle_commit_at > IDLE_COMMIT_INTERVAL_S:
            self._idle_commit_at = monotonic()
            lanes = set(self.lanes.ids)
        return {
            lane: position
            for lane, position in (await self.source.positions(lanes)).items()
            if position != self.lanes[lane].next_offsets
        }

    async def _publish(self, stored: Stored) -> None:
        """Begin to publish once the batch before is confirmed; go on with the next batch meanwhile."""
        await self._confirm()
        if stored.lanes:
            self._publishing = asyncio.create_task(self._publish_now(stored), name="publish")

    async def _publish_now(self, stored: Stored) -> None:
        started = monotonic()
        batches = {lane: batch_no for lane, (batch_no, _) in stored.lanes.items()}
        with logged(self.handler.kind, batches):
            outcome = await self.term.publish(stored.events, stored.lanes)
        obey(protocol.after_publish(outcome=outcome))
        for lane, batch_no in batches.items():
            self.lanes[lane].confirmed = batch_no
        self.moved_at = monotonic()
        PUBLISH_SECONDS.labels(self.handler.kind).observe(monotonic() - started)

    async def _confirm(self) -> None:
        publishing, self._publishing = self._publishing, None
        if publishing is not None:
            await publishing

    async def _timers(self) -> None:
        if not len(self.lanes) or monotonic() - self._timers_at < TIMER_INTERVAL_S:
            return
        self._timers_at = monotonic()
        stored = await store_due(
            self.handler,
            self.ledger,
            self.connection,
            self.term.id,
            self.lanes,
            now_ms=self.term.clock.now_ms(),
        )
        await self._publish(stored)

    async def _stop_expired(self, polled: Polled) -> None:
        for lane, reason in polled.expired.items():
            if lane in self.lanes:
                await self._stop(lane, reason)

    async def _notice_other_logs(self) -> None:
        """An input may have been deleted, which takes the lanes away without a word, and made again: its
        offsets count something else then.
        """
        if monotonic() - self._logs_checked_at < LOGS_CHECK_INTERVAL_S:
            return
        self._logs_checked_at = monotonic()
        try:
            log_ids = await self.source.log_ids()
        except (KafkaError, TimeoutError, OSError) as error:
            log.warning("logs_not_checked", kind=self.handler.kind, error=error)
            return
        if missing := [topic for topic in self.source.inputs if topic not in log_ids]:
            raise DependencyDownError(f"Kafka has no topic {missing[0]} any more")
        if others := protocol.made_again(self.log_ids, log_ids):
            reason = protocol.told_again(others)
            for lane in self.lanes.ids:
                await self._stop(lane, reason)
            raise TermEndedError(reason, fenced=False)

    async def _stop_failed(self, lane: int, reason: str) -> None:
        await self._stop(lane, f"the handler raised too often in a row: {reason}")

    def _read_again(self) -> None:
        for lane in self.lanes:
            self.source.read_from(lane.id, lane.next_offsets)

    async def _stop(self, lane: int, reason: str) -> None:
        await self._confirm()
        await stop_lane(self.ledger, self.connection, self.term.id, lane, reason)
        await self._release([lane])
        self.source.pause([lane])
        self.stopped[lane] = reason
        log.error("lane_stopped", kind=self.handler.kind, lane=lane, reason=reason)

    async def _release(self, ids: Sequence[int]) -> None:
        lanes = [self.lanes[lane] for lane in ids]
        if not protocol.may_release(unconfirmed=sum(lane.batch_no - lane.confirmed for lane in lanes)):
            raise TermEndedError("releasing a lane: not everything of it is confirmed", fenced=False)
        async with self.connection.transaction():
            released = await self.ledger.release(self.connection, self.term.id, lanes)
            obey(protocol.after_release(outcome=Outcome.of_swap(released)))
        self.lanes.drop(ids)
        log.info("lanes_released", kind=self.handler.kind, lanes=list(ids))

    def _observe(self) -> None:
        if monotonic() - self._observed_at < OBSERVE_INTERVAL_S:
            return
        self._observed_at = monotonic()
        kind = self.handler.kind
        LANES_HELD.labels(kind).set(len(self.lanes))
        LANES_STOPPED.labels(kind).set(len(self.stopped))
        lag = self._lag_by_topic()
        self.lag = sum(lag.values())
        for topic, records in lag.items():
            LAG.labels(kind, topic).set(records)
        for topic, offsets in self._held_back().items():
            HELD_BACK.labels(kind, topic).set(offsets)
        if not self.lag:
            self.moved_at = monotonic()

    def _held_back(self) -> dict[str, int]:
        """Offsets behind transactions that had not ended, by input topic, as the last fetch told."""
        held_back = dict.fromkeys(self.source.inputs, 0)
        for lane in self.lanes:
            for topic, offsets in self.source.held_back(lane.id).items():
                held_back[topic] += offsets
        return held_back

    def _lag_by_topic(self) -> dict[str, int]:
        """Records that wait behind the held lanes' positions, by input topic, as the last fetch told."""
        lag = dict.fromkeys(self.source.inputs, 0)
        for lane in self.lanes:
            for topic, end in self.source.ends(lane.id).items():
                lag[topic] += max(0, end - lane.next_offsets[topic])
        return lag
