"""Recovering the stopped lanes of one kind, in one term: first making them its own, then one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from config.errors import TongdaiError
from config.settings import Settings
from workers.runtime.batch import Event
from workers.runtime.failures import UnconfirmedError
from workers.runtime.handler import Connection, Handler
from workers.runtime.identity import LaneName, identity
from workers.runtime.lanes import Lane
from workers.runtime.ledger import Ledger, StoredLane
from workers.runtime.losses import places
from workers.runtime.repetition import Repetition
from workers.runtime.seized import Seized
from workers.runtime.term import Term
from workers.runtime.topology import Topology


class RecoveryError(TongdaiError):
    """A lane could not be recovered; it stands still as before."""


@dataclass(slots=True)
class KindRecovery:
    """One attempt at lanes of a kind."""

    handler: Handler
    topology: Topology
    settings: Settings
    connection: Connection
    term: Term
    _is_over: bool = False
    """Whether the term is not to be published with any more."""
    _ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self._ledger = Ledger(self.handler.kind)

    async def seize(self, lane: int, owner: str | None) -> StoredLane:
        """Make a stopped lane mine, its `owner`'s producers ended.

        Raises RecoveryError when another was faster, DependencyDownError.
        """
        if owner is not None:
            await self.term.fence(owner)
        if not await self._ledger.seize(self.connection, self.term.id, lane, owner):
            raise RecoveryError("another took the lane meanwhile; repeat")
        return (await self._ledger.read(self.connection, [lane]))[lane]

    async def look(self, lanes: dict[int, StoredLane]) -> list[Seized]:
        """What is left of the inputs of lanes that are mine, and what of them is pending.

        Raises what `places` raises.
        """
        if not lanes:
            return []
        found = await places(self.settings, self.topology, self.handler.inputs, lanes)
        pending = await self._ledger.pending(self.connection, list(lanes))
        return [
            Seized(self._name(lane), stored, found[lane], _by_identity(pending.get(lane, {}).values()))
            for lane, stored in lanes.items()
        ]

    async def keep_ahead(self, lanes: Sequence[int], events: Sequence[str]) -> None:
        """Remember that readers have these events, which lanes may derive again."""
        await self._ledger.keep_published_ahead(self.connection, lanes, events)

    async def finish(self, seized: Seized, portions: Sequence[Mapping[str, int]]) -> int:
        """Publish what readers lack, do again what was done behind the row, let the lane run.

        Returns how many records were read again. Raises RecoveryError, UnconfirmedError, and what
        `Repetition` raises.
        """
        if self._is_over:
            raise RecoveryError("Kafka did not confirm what came before; repeat")
        try:
            await self._publish(seized)
            mine = await self._lane(seized)
            repetition = Repetition(self.handler, self.topology, self.settings, self.term, mine)
            repeated = await repetition.run(self.connection, portions)
        except UnconfirmedError:
            self._is_over = True
            raise
        await self._resume(mine)
        return repeated

    async def _publish(self, seized: Seized) -> None:
        row = seized.stored.row
        offsets = {seized.name.lane: (row.batch_no, seized.offsets)}
        await self.term.publish_surely(list(seized.unpublished.values()), offsets)

    async def _lane(self, seized: Seized) -> Lane:
        """The lane as whoever holds it has it, to be read from where it can be."""
        lane, stored = seized.name.lane, seized.stored
        if seized.is_cut:
            await self._ledger.forget_all_published_ahead(self.connection, lane)
        ahead = await self._ledger.published_ahead(self.connection, [lane])
        return Lane(
            lane,
            stored.row.batch_no,
            seized.offsets,
            stored.at_ms,
            confirmed=stored.row.batch_no,
            published_ahead=ahead.get(lane, set()),
            cuts=seized.cuts(self.topology),
        )

    async def _resume(self, mine: Lane) -> None:
        log_ids = {topic: self.topology.ids[topic] for topic in self.handler.inputs}
        async with self.connection.transaction():
            resumed = await self._ledger.resume(
                self.connection, self.term.id, mine.id, mine.next_offsets, log_ids, mine.cuts
            )
            if not resumed:
                raise RecoveryError("another took the lane meanwhile; repeat")

    def _name(self, lane: int) -> LaneName:
        return LaneName(self.handler.kind, lane)


def _by_identity(batches: Iterable[Sequence[Event]]) -> dict[str, Event]:
    return {identity(event.topic, event.headers): event for batch in batches for event in batch}
