"""A handler that knows nothing of chat: it keeps each record and publishes a copy."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from schemas.envelope import Kind
from workers.runtime.batch import Batch, Record, TimerDue
from workers.runtime.handler import Connection

POISON = b"poison"
UNWRITABLE = b"unwritable"
"""Fails only when all events of its batch are emitted."""
HUGE = b"huge"

CREATE = "CREATE TABLE copied (topic text, lane int, disk_offset bigint, value bytea)"


class Copier:
    """Keeps every record in the table `copied` and publishes it on messages; fails on poison."""

    kind = "intake"
    inputs: tuple[str, ...] = ("actions", "inbound")
    takes_halves = True
    intervals = 1

    def __init__(self) -> None:
        self.handled = 0
        self.before_handling: asyncio.Event | None = None
        self.entered = asyncio.Event()

    async def handle(self, connection: Connection, batch: Batch) -> None:
        self.entered.set()
        if self.before_handling is not None:
            await self.before_handling.wait()
        for record, at_ms in zip(batch.records, batch.at_ms, strict=True):
            self._copy(batch, record, at_ms)
        await batch.emitted()
        if any(record.value == UNWRITABLE for record in batch.records):
            raise ValueError("this record cannot be written")
        await connection.copy_records_to_table(
            "copied", records=[(r.topic, r.lane, r.offset, r.value) for r in batch.records]
        )
        self.handled += len(batch.records)

    def _copy(self, batch: Batch, record: Record, at_ms: int) -> None:
        if record.value == POISON:
            raise ValueError("this record is poison")
        value = b"x" * 2_000_000 if record.value == HUGE else record.value
        batch.emit(record, Kind("messages", "copied"), key=record.key, value=value, at_ms=at_ms)

    async def due_timers(
        self, connection: Connection, lanes: Sequence[int], now_ms: int, limit: int
    ) -> Sequence[TimerDue]:
        return []

    def forget(self, lanes: Collection[int] | None = None) -> None:
        """Nothing is kept."""
