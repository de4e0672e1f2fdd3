"""Intake as a handler of the runtime: a batch of records into transcripts, sessions and commands."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

from schemas.envelope import moment
from workers.routing.intake import storing, ticket_turns, timers
from workers.routing.intake.admission import Admission, Admitted, read_all
from workers.routing.intake.conversations import Conversations
from workers.routing.intake.effects import Effects
from workers.routing.intake.given import Lookup
from workers.routing.intake.pages import Pages
from workers.routing.intake.policies import Policies
from workers.routing.intake.reading import INPUTS
from workers.routing.intake.rules import Rules
from workers.routing.intake.work import Work
from workers.runtime.batch import Batch, TimerDue
from workers.runtime.handler import Connection
from workers.runtime.metrics import INTAKE
from workers.runtime.topology import Topology

DEFAULT_SILENCE_S = 24 * 60 * 60.0
DEFAULT_CACHED_CONVERSATIONS = 20_000
"""About a kilobyte each."""


class IntakeHandler:
    """The only writer of transcripts, customers, conversations and sessions of its lanes.

    Args:
        partitions: how many each of the input topics has.
        silence_s: how long a customer must be silent for the session to end, in seconds.
        cached_conversations: how many are remembered between batches, at most.
        clock_s: a clock that never goes back; ages the pages, policies and rules that are remembered.
    """

    kind = "intake"
    inputs = INPUTS
    takes_halves = True
    intervals = 1

    def __init__(
        self,
        partitions: int,
        *,
        silence_s: float = DEFAULT_SILENCE_S,
        cached_conversations: int = DEFAULT_CACHED_CONVERSATIONS,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pages = Pages(clock_s)
        self._conversations = Conversations(cached_conversations)
        self._lookup = Lookup(self._conversations, Policies(clock_s), Rules(clock_s))
        topology = Topology("", {"inbound": partitions})
        self._admission = Admission(self._conversations, lambda key: topology.partition("inbound", key))
        self._effects = Effects(self._conversations, silence_ms=round(silence_s * 1000))

    async def handle(self, connection: Connection, batch: Batch) -> None:
        """Apply `batch`; see workers.runtime.handler.Handler.

        Raises BrokenChainError and WrongLaneError for records that cannot be where they are, and
        asyncpg.SerializationError when another lane stored one of the messages, or used one of the
        idempotency keys, at the same time.
        """
        work = Work(batch)
        admitted = await self._admit(connection, work)
        names = {one.name for one in admitted}
        with self._conversations.in_hand(names):
            await self._conversations.load(connection, names)
            self._effects.apply(work, admitted, await self._lookup.give(connection, work, admitted))
            await batch.emitted()
            await storing.write(connection, work)
        for became, count in work.became.items():
            INTAKE.labels(became).inc(count)
        ticket_turns.write_down(work.ticket_turns)

    async def due_timers(
        self, connection: Connection, lanes: Sequence[int], now_ms: int, limit: int
    ) -> Sequence[TimerDue]:
        """Timers of sessions that are due; see workers.runtime.handler.Handler."""
        due = await timers.take_due(connection, lanes, moment(now_ms), limit)
        for name, timer in due:
            conversation = self._conversations.get(name)
            if conversation is None:
                continue
            if timer.kind == timers.SESSION_TIMER:
                conversation.timer_at_ms = None
            else:
                conversation.silence_at_ms = None
        return [timer for _, timer in due]

    def forget(self, lanes: Collection[int] | None = None) -> None:
        """Drop what is remembered of `lanes`; none: of all."""
        self._conversations.forget(lanes)

    async def _admit(self, connection: Connection, work: Work) -> list[Admitted]:
        """The records that take effect, with their pages' owners."""
        readings = read_all(work)
        owners = await self._pages.look_up(connection, {reading.page for reading in readings if reading.page})
        return [one for reading in readings if (one := self._admission.admit(work, reading, owners))]
