"""The desk as a handler of the runtime: a batch of commands into events and tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from schemas.asks import LinkOrder
from schemas.assignments import Cause
from schemas.building import build
from schemas.commands import Command, TimerFired
from schemas.envelope import moment
from schemas.writing import written
from workers.routing.desk import order_turns
from workers.routing.desk.apply import Decided
from workers.routing.desk.decide import carry_out
from workers.routing.desk.decision import KIND_OF, Place, key_of
from workers.routing.desk.memory import Memory
from workers.routing.desk.order_turns import OrderTurn
from workers.routing.desk.reading import INPUTS, read
from workers.routing.desk.storing import Changes
from workers.routing.desk.timer_rows import take_due
from workers.runtime.batch import Batch, Record, TimerDue
from workers.runtime.handler import Connection
from workers.runtime.refusal import RefusedError
from workers.runtime.topology import Topology

DEFAULT_CACHED_DESKS = 500
DEFAULT_CACHED_CONVERSATIONS = 15_000
"""About a kilobyte each."""


class Reading(NamedTuple):
    """A command with its record and the lane's time at it, in milliseconds since 1970."""

    record: Record
    at_ms: int
    command: Command


class DeskHandler:
    """The only writer of who answers whom at the desks of its lanes.

    Args:
        partitions: how many the input topic has.
        cached_desks: how many are remembered between batches, at most.
        cached_conversations: the same of conversations; those that wait are remembered with their desk.
    """

    kind = "desk"
    inputs = INPUTS
    takes_halves = False
    intervals = 2
    """Few of the messages need a decision: batches of two or three would take the half of their worker."""

    def __init__(
        self,
        partitions: int,
        *,
        cached_desks: int = DEFAULT_CACHED_DESKS,
        cached_conversations: int = DEFAULT_CACHED_CONVERSATIONS,
    ) -> None:
        self._topology = Topology("", dict.fromkeys(INPUTS, partitions))
        self._memory = Memory(cached_desks, cached_conversations)

    async def handle(self, connection: Connection, batch: Batch) -> None:
        """Decide on `batch`; see workers.runtime.handler.Handler."""
        readings = self._read(batch)
        await self._memory.load(connection, [(one.record.lane, one.command) for one in readings])
        changes = Changes()
        turns: list[OrderTurn] = []
        for one in readings:
            desk = self._memory.desk(one.command)
            place = _place(batch, one)
            changes.timers.watch(desk, one.record.lane, place.at)
            for decided in carry_out(desk, one.command, place):
                changes.note(desk, decided)
                _tell(batch, one, decided)
                if isinstance(one.command, LinkOrder):
                    turns.append(OrderTurn(one.record.lane, one.command, decided.event))
            if isinstance(one.command, TimerFired):
                changes.timers.fired(desk, one.command)
        await batch.emitted()
        await changes.write(connection)
        for desk, key in changes.conversations():
            self._memory.used(desk, key)
        self._memory.tidy()
        order_turns.write_down(turns)

    async def due_timers(
        self, connection: Connection, lanes: Sequence[int], now_ms: int, limit: int
    ) -> Sequence[TimerDue]:
        """See workers.runtime.handler.Handler."""
        return await take_due(connection, lanes, moment(now_ms), limit)

    def forget(self, lanes: Collection[int] | None = None) -> None:
        """Drop the desks of `lanes`; none: all."""
        self._memory.forget(lanes)

    def _read(self, batch: Batch) -> list[Reading]:
        """The commands that are decided on here; the others go to deadletter, or where their key belongs."""
        readings = []
        for record, at_ms in zip(batch.records, batch.at_ms, strict=True):
            try:
                command = read(record)
            except RefusedError as refusal:
                batch.reject(record, refusal.reason, refusal.detail)
                continue
            if self._topology.partition(record.topic, record.key) == record.lane:
                readings.append(Reading(record, at_ms, command))
            else:
                batch.forward(record)
        return readings


def _tell(batch: Batch, reading: Reading, decided: Decided) -> None:
    """Publish an event, unless it is one that only the desk's tables keep."""
    event = decided.event
    kind = KIND_OF.get(type(event))
    if kind is not None:
        key, value = key_of(event).encode(), written(event)
        batch.emit(reading.record, kind, key=key, value=value, at_ms=reading.at_ms, id_=decided.id)


def _place(batch: Batch, reading: Reading) -> Place:
    record = reading.record
    cause = build(Cause, {"partition": record.lane, "offset": record.offset})
    return Place(moment(reading.at_ms), cause, batch.ids_of(record))
