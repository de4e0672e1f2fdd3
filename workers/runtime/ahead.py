"""What is begun for a batch before Postgres has it, so that nobody waits for it afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from workers.runtime import protocol
from workers.runtime.batch import Event
from workers.runtime.failures import obey
from workers.runtime.lanes import Lanes
from workers.runtime.source import Source
from workers.runtime.term import GroupOffsets, Term


class Unhurried:
    """Nothing: where nobody waits, and where a batch is stored in parts."""

    async def begin(self, events: Iterable[Event], offsets: GroupOffsets) -> None:
        """The batch's events are known; the offsets are those behind it."""

    async def abort(self) -> None:
        """The batch was rolled back."""

    def read_on(self) -> None:
        """The batch is about to be committed."""

    async def settle(self) -> None:
        """The batch is stored, and about to be published."""

    def drop(self) -> None:
        """The term is over."""


@dataclass(slots=True)
class Ahead(Unhurried):
    """The Kafka transaction that will publish the batch, without a record in it, and the next fetch."""

    source: Source
    term: Term
    lanes: Lanes
    publishing: asyncio.Task[None] | None
    """Of the batch before."""
    _beginning: asyncio.Task[None] | None = None

    async def begin(self, events: Iterable[Event], offsets: GroupOffsets) -> None:
        """Begin the transaction as soon as the one before is confirmed, if that is before the COMMIT."""
        self._beginning = asyncio.create_task(self._begin(events, offsets), name="begin ahead")

    async def _begin(self, events: Iterable[Event], offsets: GroupOffsets) -> None:
        if self.publishing is not None:
            await asyncio.wait([self.publishing])  # what goes wrong with it is told to who confirms it
        if protocol.may_begin_ahead(unconfirmed=self.lanes.unconfirmed):
            await self.term.begin_ahead(events, offsets)

    async def settle(self) -> None:
        """Wait until the transaction is begun, or not to be begun any more. Raises TermEndedError."""
        beginning, self._beginning = self._beginning, None
        if beginning is not None:
            await beginning

    def drop(self) -> None:
        """Begin nothing any more."""
        beginning, self._beginning = self._beginning, None
        if beginning is not None:
            beginning.cancel()

    async def abort(self) -> None:
        """Undo what was begun. Raises TermEndedError when it is not known to be undone."""
        self.drop()
        obey(protocol.after_abort(outcome=await self.term.abort()))

    def read_on(self) -> None:
        """Ask for the next records."""
        self.source.read_on()
