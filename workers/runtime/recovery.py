"""Recovering stopped lanes: makes Postgres, the group and the topics agree, publishing nothing twice.

Whatever stopped them, the same steps lead back: end their owners, look up which of their events readers
have, publish the pending ones that they lack, remember those they have and the lanes will derive again
(Postgres was restored to an earlier time), set the group to the rows, let them run. Safe to repeat.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog
from aiokafka.errors import KafkaError

from config.error_text import told
from config.errors import TongdaiError
from config.settings import Settings
from workers.runtime.failures import TermEndedError
from workers.runtime.handler import Connection, Handler
from workers.runtime.identity import LaneName
from workers.runtime.kind_recovery import KindRecovery, RecoveryError
from workers.runtime.ledger import Ledger, StoredLane, prepare
from workers.runtime.postgres import DATABASE_ERRORS, connected
from workers.runtime.published import Published, read_published
from workers.runtime.seized import Seized
from workers.runtime.spans import Tell
from workers.runtime.term import Term
from workers.runtime.topology import Topology

log = structlog.get_logger(__name__)

_STOPPED = "SELECT kind, id, stopped FROM lane WHERE stopped IS NOT NULL ORDER BY kind, id"
_EXPECTED = (TongdaiError, TermEndedError, KafkaError, *DATABASE_ERRORS)
"""What ends an attempt, which may be repeated."""


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


@dataclass(frozen=True, slots=True)
class Failed:
    """A lane that stands still as before, and why."""

    kind: str
    lane: int
    error: str


@dataclass(frozen=True, slots=True)
class Running:
    """A lane that was not stopped: nothing was to be done."""

    kind: str
    lane: int


Result = Recovered | Failed | Running


async def stopped_lanes(connection: Connection) -> list[StoppedLane]:
    """All lanes that are stopped, with the reason."""
    return [StoppedLane(*record) for record in await connection.fetch(_STOPPED)]


async def recover(
    settings: Settings,
    topology: Topology,
    handlers: Sequence[Handler],
    lanes: Iterable[LaneName],
    *,
    accept_loss: bool,
    tell: Tell | None = None,
) -> list[Result]:
    """Let stopped lanes run again: what came of each, kind by kind in the order of `handlers`.

    That is the order in which kinds read each other's tables. What goes wrong with a lane is told of it and
    leaves it as it was. `accept_loss`: go on behind records that the log no longer has; without it they are
    an error. `tell` hears how far the topics are read.

    Raises DependencyDownError when Kafka or Postgres are not there, and what Postgres raises.
    """
    async with connected(settings, "tongdai recover") as connection:
        recovery = _Recovery(settings, topology, connection, accept_loss=accept_loss)
        try:
            await prepare(connection)
            return await recovery.run(handlers, sorted(set(lanes)), tell)
        finally:
            await recovery.end()


@dataclass(slots=True)
class _Recovery:
    """One attempt at lanes of several kinds."""

    settings: Settings
    topology: Topology
    connection: Connection
    accept_loss: bool
    _kinds: dict[str, KindRecovery] = field(default_factory=dict)
    _results: dict[LaneName, Result] = field(default_factory=dict)

    async def run(
        self, handlers: Sequence[Handler], lanes: Sequence[LaneName], tell: Tell | None
    ) -> list[Result]:
        seized: Sequence[Seized] = []
        for handler in handlers:
            if mine := [name.lane for name in lanes if name.kind == handler.kind]:
                seized = [*seized, *await self._prepare(handler, mine)]
        for lane in await self._look_up(seized, tell):
            await self._try(lane)
        return [self._results[name] for each in handlers for name in lanes if name.kind == each.kind]

    async def end(self) -> None:
        for kind in self._kinds.values():
            await kind.term.end()

    async def _prepare(self, handler: Handler, lanes: Sequence[int]) -> list[Seized]:
        """Make those that are stopped ours, and see what can be read of their inputs."""
        rows = await Ledger(handler.kind).read(self.connection, lanes)
        for lane in lanes:
            if lane not in rows:
                self._failed(LaneName(handler.kind, lane), RecoveryError("there is no such lane"))
            elif rows[lane].row.stopped is None:
                self._results[LaneName(handler.kind, lane)] = Running(handler.kind, lane)
        stopped = {lane: stored for lane, stored in rows.items() if stored.row.stopped is not None}
        if not stopped:
            return []
        term = await Term.begin(handler.kind, self.topology, self.settings)
        self._kinds[handler.kind] = KindRecovery(handler, self.topology, self.settings, self.connection, term)
        return await self._seize(self._kinds[handler.kind], stopped)

    async def _seize(self, kind: KindRecovery, stopped: dict[int, StoredLane]) -> list[Seized]:
        mine: dict[int, StoredLane] = {}
        for lane, stored in stopped.items():
            try:
                mine[lane] = await kind.seize(lane, stored.row.owner)
            except _EXPECTED as error:
                self._failed(LaneName(kind.handler.kind, lane), error)
        try:
            seized = await kind.look(mine)
        except _EXPECTED as error:
            for lane in mine:
                self._failed(LaneName(kind.handler.kind, lane), error)
            return []
        return [lane for lane in seized if self._may_go_on(lane)]

    def _may_go_on(self, lane: Seized) -> bool:
        """Whether nothing is lost, or that is accepted."""
        if not lane.lost or self.accept_loss:
            return True
        lost = ", ".join(f"{count} records of {topic}" for topic, count in lane.lost.items())
        error = f"the log no longer has {lost}; repeat with --accept-loss to go on behind them"
        self._failed(lane.name, RecoveryError(error))
        return False

    async def _look_up(self, seized: Sequence[Seized], tell: Tell | None) -> Sequence[Seized]:
        """Read once through the topics, and note what readers have of each lane."""
        lanes = {lane.name: lane for lane in seized}
        since_ms = {lane.name: lane.stored.at_ms for lane in seized}
        try:
            async for portion in read_published(self.settings, self.topology, since_ms, tell):
                await self._keep_ahead([found for found in portion if lanes[found.lane].take(found)])
        except _EXPECTED as error:
            for name in lanes:
                self._failed(name, error)
            return []
        return seized

    async def _keep_ahead(self, events: Sequence[Published]) -> None:
        for name, kind in self._kinds.items():
            mine = [event for event in events if event.lane.kind == name]
            if mine:
                await kind.keep_ahead([each.lane.lane for each in mine], [each.identity for each in mine])

    async def _try(self, lane: Seized) -> None:
        try:
            self._results[lane.name] = await self._finish(lane)
        except _EXPECTED as error:
            self._failed(lane.name, error)

    async def _finish(self, lane: Seized) -> Recovered:
        kind = self._kinds[lane.name.kind]
        portions = lane.portions(kind.handler.inputs, self.topology)
        if portions and (before := self._failed_before(lane.name.kind)):
            raise RecoveryError(f"{before} is to be recovered first, whose tables it reads; repeat then")
        repeated = await kind.finish(lane, portions)
        published = len(lane.unpublished)
        log.info(
            "lane_recovered", kind=lane.name.kind, lane=lane.name.lane, published=published, repeated=repeated
        )
        return Recovered(*lane.name, published, lane.known_ahead, repeated, lane.lost)

    def _failed_before(self, kind: str) -> LaneName | None:
        """A lane that failed of a kind whose tables this one reads."""
        before = list(self._kinds)[: list(self._kinds).index(kind)]
        failed = [name for name, result in self._results.items() if isinstance(result, Failed)]
        return next((name for name in failed if name.kind in before), None)

    def _failed(self, name: LaneName, error: Exception) -> None:
        log.warning("lane_not_recovered", kind=name.kind, lane=name.lane, error=error)
        self._results[name] = Failed(*name, told(error))
