"""Taking lanes over: the steps of the protocol, for many lanes at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

import structlog

from config.settings import Settings
from workers.runtime import protocol
from workers.runtime.back_offs import BackOffs
from workers.runtime.failures import TermEndedError, obey
from workers.runtime.groups import Groups
from workers.runtime.handler import Connection
from workers.runtime.lanes import Lane, Lanes
from workers.runtime.ledger import Ledger, StoredLane
from workers.runtime.postgres import connected
from workers.runtime.protocol import (
    Abandon,
    BackOff,
    Claim,
    EndTerm,
    Fence,
    Outcome,
    Publish,
    ReadGroup,
    Start,
    Stop,
)
from workers.runtime.source import Source
from workers.runtime.term import Term

log = structlog.get_logger(__name__)

BLOCKED_AFTER_S = 1.0
"""A claim that waits this long is blocked by the row lock of a worker that froze inside a transaction."""


@dataclass(slots=True)
class Takeover:
    """Makes assigned lanes mine: `attempt` those that are `due`, until each is held or stopped."""

    ledger: Ledger
    groups: Groups
    source: Source
    settings: Settings
    stopped: dict[int, str]
    """Lanes that must not run, and why; added to."""
    back_offs: BackOffs = field(default_factory=BackOffs)
    log_ids: Mapping[str, str] = field(default_factory=dict)
    """Kafka's ids of the topics, as this term knows them."""
    _claimed: set[int] = field(default_factory=set)
    """Lanes whose row is mine and that do not run yet."""
    _waiting_since: dict[int, float] = field(default_factory=dict)

    def due(self, wanted: Iterable[int]) -> list[int]:
        """Those of the wanted lanes that are not to be left alone for now."""
        return [lane for lane in wanted if self.back_offs.over(lane)]

    async def attempt(self, term: Term, connection: Connection, lanes: Lanes, wanted: Sequence[int]) -> None:
        """Go as far as possible with each wanted lane that is due.

        Raises TermEndedError, and DependencyDownError when Kafka or Postgres do not answer.
        """
        unclaimed = [lane for lane in wanted if lane not in self._claimed]
        if unclaimed:
            await self._claim(term, connection, unclaimed)
        claimed = [lane for lane in wanted if lane in self._claimed]
        if claimed:
            await self._start(term, connection, lanes, claimed)

    def forget(self) -> None:
        """The term ended or the group was rebalanced: nothing that was begun counts."""
        self._claimed.clear()
        self.back_offs.forget()
        self._waiting_since.clear()

    async def _claim(self, term: Term, connection: Connection, wanted: Sequence[int]) -> None:
        """Steps (a) to (c): read the owner, end its producers, swap."""
        rows = await self.ledger.read(connection, wanted)
        missing = [lane for lane in wanted if lane not in rows]
        if missing:
            # Not always: an INSERT waits for row locks even where it will do nothing.
            await self.ledger.create(connection, missing)
            rows |= await self.ledger.read(connection, missing)
        claims: dict[int, str | None] = {}
        for lane, stored in rows.items():
            step = protocol.after_row(me=term.id, holds=False, assigned=self._assigned(lane), row=stored.row)
            if isinstance(step, Fence):
                await term.fence(step.owner)
                step = protocol.after_fence(assigned=self._assigned(lane), owner=step.owner)
            if isinstance(step, Claim):
                claims[lane] = step.owner
            else:
                self._not_claimed(lane, step)
        if claims:
            await self._swap(term, connection, claims)

    async def _swap(self, term: Term, connection: Connection, claims: dict[int, str | None]) -> None:
        async with _unblocked(connection, self.settings):
            mine = await self.ledger.claim(connection, term.id, list(claims), list(claims.values()))
        for lane in claims:
            step = protocol.after_claim(outcome=Outcome.of_swap(lane in mine))
            if isinstance(step, ReadGroup):
                self._claimed.add(lane)
                self.back_offs.forget(lane)
            else:
                self._not_claimed(lane, step)

    async def _start(self, term: Term, connection: Connection, lanes: Lanes, claimed: Sequence[int]) -> None:
        """Steps (d) to (f): read the group, publish what is pending, seek."""
        rows = await self.ledger.read(connection, claimed)
        groups = await self.groups.read(claimed)
        if others := protocol.made_again(self.log_ids, groups[claimed[0]].log_ids):
            raise TermEndedError(protocol.told_again(others), fenced=False)
        start: list[int] = []
        publish: dict[int, int] = {}
        for lane in claimed:
            step = protocol.after_group(
                row=rows[lane].row,
                group=groups[lane],
                waited_s=monotonic() - self._waiting_since.setdefault(lane, monotonic()),
            )
            if isinstance(step, Publish):
                publish[lane] = step.above
            elif isinstance(step, Start):
                start.append(lane)
            else:
                await self._not_started(term, connection, lane, step)
        if publish:
            await self._publish(term, connection, rows, publish)
        if ready := [*start, *publish]:
            unknown = [lane for lane in ready if rows[lane].row.log_ids != groups[lane].log_ids]
            if unknown:
                await self.ledger.know_logs(connection, term.id, unknown, groups[unknown[0]].log_ids)
            await self._hold(connection, lanes, rows, ready)

    async def _publish(
        self, term: Term, connection: Connection, rows: dict[int, StoredLane], above: dict[int, int]
    ) -> None:
        pending = await self.ledger.pending(connection, list(above))
        events = [
            event
            for lane, batches in pending.items()
            for batch_no, batch in batches.items()
            if batch_no > above[lane]
            for event in batch
        ]
        offsets = {lane: (rows[lane].row.batch_no, rows[lane].row.next_offsets) for lane in above}
        obey(protocol.after_takeover_publish(outcome=await term.publish(events, offsets)))
        log.info("pending_published", lanes=sorted(above), events=len(events))

    async def _hold(
        self, connection: Connection, lanes: Lanes, rows: dict[int, StoredLane], ready: Sequence[int]
    ) -> None:
        beginnings = await self.source.beginnings(ready)
        ahead = await self.ledger.published_ahead(connection, ready)
        for lane in ready:
            if not self._assigned(lane):
                continue
            row = rows[lane].row
            next_offsets = beginnings[lane] | dict(row.next_offsets)
            lanes.hold(
                Lane(
                    lane,
                    row.batch_no,
                    next_offsets,
                    rows[lane].at_ms,
                    confirmed=row.batch_no,
                    published_ahead=ahead.get(lane, set()),
                    cuts=row.cuts,
                )
            )
            self.source.read_from(lane, next_offsets)
            self._claimed.remove(lane)
            self.back_offs.forget(lane)
            self._waiting_since.pop(lane, None)
        log.info("lanes_held", lanes=lanes.ids)

    def _not_claimed(self, lane: int, step: protocol.TakeoverStep) -> None:
        match step:
            case Stop(reason):
                self.stopped[lane] = reason
            case EndTerm():
                obey(step)
            case BackOff():
                log.info("lane_not_claimed", lane=lane, again_in_s=round(self.back_offs.lose(lane), 3))
            case Abandon():
                log.info("lane_not_claimed", lane=lane)
            case _:
                raise AssertionError(step)

    async def _not_started(
        self, term: Term, connection: Connection, lane: int, step: protocol.TakeoverStep
    ) -> None:
        match step:
            case Stop(reason):
                await stop_lane(self.ledger, connection, term.id, lane, reason)
                self.stopped[lane] = reason
                log.error("lane_stopped", lane=lane, reason=reason)
            case BackOff():
                waited_s = monotonic() - self._waiting_since[lane]
                tell = log.info if waited_s < protocol.STALE_READ_USUAL_S else log.warning
                again_in_s = round(self.back_offs.lose(lane), 3)
                tell("group_offset_awaited", lane=lane, waited_s=round(waited_s, 3), again_in_s=again_in_s)
            case _:
                raise AssertionError(step)

    def _assigned(self, lane: int) -> bool:
        return lane in self.source.assigned


async def stop_lane(ledger: Ledger, connection: Connection, me: str, lane: int, reason: str) -> None:
    """Let nobody run this lane until it is recovered. Raises TermEndedError when it is not mine to stop."""
    stopped = await ledger.stop(connection, me, lane, reason)
    obey(protocol.after_stop(outcome=Outcome.of_swap(stopped)))


class _unblocked:  # noqa: N801  reads as a phrase: async with _unblocked(...)
    """While the claim waits, end the session that blocks it: its producers are fenced already.

    A worker that froze inside COPY keeps its row locks, and no time-out of Postgres frees them.
    """

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._pid: int = connection.get_server_pid()
        self._settings = settings
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._watch = asyncio.create_task(self._terminate_blockers(), name="terminate_blockers")

    async def __aexit__(self, *_: object) -> None:
        if self._watch is not None:
            self._watch.cancel()
            [result] = await asyncio.gather(self._watch, return_exceptions=True)
            if isinstance(result, Exception):
                log.warning("blockers_not_terminated", error=result)

    async def _terminate_blockers(self) -> None:
        await asyncio.sleep(BLOCKED_AFTER_S)
        async with connected(self._settings, "tongdai unblock") as connection:
            blockers = await connection.fetch(
                "SELECT pid, pg_terminate_backend(pid) FROM unnest(pg_blocking_pids($1)) AS pid", self._pid
            )
            log.warning("blockers_terminated", pids=[record["pid"] for record in blockers])
