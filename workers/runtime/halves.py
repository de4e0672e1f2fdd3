"""Behind a backlog: two halves of the lanes are worked off side by side, each on a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from workers.runtime.batch import Record
from workers.runtime.handler import Connection
from workers.runtime.portions import Stored
from workers.runtime.source import Source

LASTING_S = 5.0
"""So long they go on by themselves, unless lanes are to be given up: timers and gauges wait meanwhile."""

Store = Callable[[Connection, Sequence[Record]], Awaitable[Stored]]
"""Keeps a batch in one Postgres transaction, or more after a failure."""
Publish = Callable[[Stored], Awaitable[None]]


@dataclass(slots=True)
class Halves:
    """One batch is computed while Postgres writes the other. Of each half, one is published meanwhile, too.

    Batches of a lane follow one another as always: they are of one half, whose next one is stored while the
    one before is published, and whose transactions in Kafka end in order.
    """

    source: Source
    store: Store
    publish: Publish
    stopping: asyncio.Event
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _generation: int = 0
    _until: float = 0.0

    async def work_off(
        self, polled: Sequence[Record], lanes: Sequence[int], connections: Sequence[Connection]
    ) -> list[Stored]:
        """Store and publish `polled`, and what lies behind it while that is a backlog, for some seconds.

        Returns the batches of which not everything was stored: a half ends with such a one. Raises what
        `store` and `publish` do, with the other half broken off; then the term is over.
        """
        self._generation, self._until = self.source.generation, monotonic() + LASTING_S
        parts = [frozenset(lanes[number :: len(connections)]) for number in range(len(connections))]
        halves = [
            asyncio.create_task(self._half(connection, part, [r for r in polled if r.lane in part]))
            for connection, part in zip(connections, parts, strict=True)
        ]
        try:
            ended = await asyncio.gather(*halves)
        finally:
            await _break_off(halves)
        return [stored for stored in ended if stored is not None]

    async def _half(
        self, connection: Connection, lanes: frozenset[int], polled: Sequence[Record]
    ) -> Stored | None:
        """Returns a batch that leaves a rest, with which it ends."""
        stored = Stored()
        publishing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        publishing.set_result(None)  # nothing is yet
        try:
            async for records in self._portions(lanes, polled):
                stored = await self.store(connection, records)
                await publishing
                publishing = asyncio.create_task(self._publish(stored), name="publish")
                if stored.leaves_rest:
                    break
            await publishing
        finally:
            await _break_off([publishing])
        return stored if stored.leaves_rest else None

    async def _portions(
        self, lanes: frozenset[int], polled: Sequence[Record]
    ) -> AsyncIterator[Sequence[Record]]:
        """`polled`, then what is behind it. Of a half's lanes there may be nothing among what was polled."""
        if polled:
            yield polled
        while not self._is_over():
            records = await self.source.more(lanes)
            if records:
                yield records
            if not self.source.is_backlog(len(records), of=2):
                return

    def _is_over(self) -> bool:
        return (
            monotonic() > self._until or self.stopping.is_set() or self.source.generation != self._generation
        )

    async def _publish(self, stored: Stored) -> None:
        """One transaction of a term at a time."""
        async with self._turn:
            await self.publish(stored)


async def _break_off(tasks: Iterable[asyncio.Future[None] | asyncio.Task[Stored | None]]) -> None:
    """End those that have not ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
