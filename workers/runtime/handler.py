"""What plugs into the runtime: a handler of batches, which can be tested without Kafka."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from workers.runtime.batch import Batch, TimerDue

Connection = Any
"""An asyncpg connection; asyncpg's own types are incomplete."""


class Handler(Protocol):
    """One kind of lane: which topics it reads, and what a batch of their records does."""

    @property
    def kind(self) -> str:
        """`intake`, `desk`, `notifier`: also the consumer group's last word."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Short names of the co-partitioned input topics; within a batch the first comes first."""

    @property
    def takes_halves(self) -> bool:
        """Whether two batches of different lanes may be in hand at once, each with its connection."""

    @property
    def intervals(self) -> int:
        """So many times `batch_interval_ms` lie between the beginnings of its batches, see `Pace`."""

    async def handle(self, connection: Connection, batch: Batch) -> None:
        """Apply `batch` inside the open transaction of `connection`, emitting events into it.

        Whatever it raises rolls the transaction back; memory that it changed is then dropped by `forget`.
        """

    async def due_timers(
        self, connection: Connection, lanes: Sequence[int], now_ms: int, limit: int
    ) -> Sequence[TimerDue]:
        """Timers of `lanes` that are due at `now_ms`, marked as published in the same transaction."""

    def forget(self, lanes: Collection[int] | None = None) -> None:
        """Drop what is kept in memory of `lanes` (none: of all), since it may not be what Postgres holds."""
