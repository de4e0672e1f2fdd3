"""The way of what leaves a ticket by other means: through intake and delivery's lane, and as it is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from config.section import Section
from config.settings import Settings
from schemas import envelope
from schemas.receipts import Delivery
from tests.intake.conftest import Run
from tests.intake.log import Log, published
from workers.channels.delivery import news
from workers.channels.delivery.handler import DeliveryHandler
from workers.channels.outreach import rows
from workers.channels.outreach.means import Means
from workers.channels.outreach.runner import Runner
from workers.runtime.batch import Batch, Record

DEADLINE_S = 90.0


class Way:
    """Delivery's parts behind intake's, before a real Postgres.

    Args:
        pool: of the same database as intake's.
        inputs: what intake reads.
        intake: handles it.
        sections: of the settings.
    """

    def __init__(self, pool: asyncpg.Pool, dsn: str, inputs: Log, intake: Run, **sections: Section) -> None:
        self.pool, self.log, self._run = pool, inputs, intake
        self.settings = Settings.model_validate({"postgres": {"dsn": dsn}}).model_copy(update=sections)
        self._handler = DeliveryHandler(self.settings.delivery, self.settings.mail, self.settings.phone)
        self._offset = 0

    async def act(self, what: str, **fields: Any) -> Batch:  # noqa: ANN401 - of the action
        """An admin does something."""
        self.log.act("an", what, authority="admin", **fields)
        return await self.settle()

    async def settle(self) -> Batch:
        """Intake handles what its log has, and delivery what comes of it."""
        batch: Batch = await self._run(self.log.batch())
        sends = [event for lane in batch.events.values() for event in lane if event.topic == "outbound"]
        if sends:
            await self.handle([(event.key, event.value, event.headers) for event in sends])
        return batch

    async def handle(
        self, sends: Sequence[tuple[bytes, bytes, envelope.Headers]], topic: str = "outbound"
    ) -> None:
        """Delivery handles records."""
        records = []
        for key, value, headers in sends:
            self._offset += 1
            now_ms = time.time_ns() // 1_000_000
            records.append(Record(topic, 1, self._offset, now_ms, key, value, headers))
        batch = Batch("delivery", records, [record.timestamp_ms for record in records])
        async with self.pool.acquire() as taken, taken.transaction():
            await self._handler.handle(taken, batch)
        assert not batch.rejected

    async def reach(self, what: str, **fields: Any) -> UUID:  # noqa: ANN401 - of the action
        """An admin sends something out of a ticket; its id."""
        batch = await self.act(what, **fields)
        ((what, outcome),) = published(batch, "outcomes")
        assert what == "done", outcome
        return UUID(outcome["result"]["message"])

    async def until(self, message: UUID, state: str, reason: str | None = None) -> None:
        """Wait until a mail stands so."""
        wanted = state, reason
        async with asyncio.timeout(DEADLINE_S):
            while await self._stands(message) != wanted:
                await asyncio.sleep(0.02)

    async def _stands(self, message: UUID) -> tuple[str, str | None]:
        row = await self.pool.fetchrow("SELECT state, reason FROM outreach WHERE message_id = $1", message)
        return row["state"], row["reason"]

    async def told(self) -> list[Delivery]:
        due = await news.untold(self.pool, range(64), 100, rows.UNTOLD)
        return [Delivery.model_validate_json(timer.value) for timer in due]

    @asynccontextmanager
    async def running(self, means: Means) -> AsyncIterator[None]:
        """What waits is sent meanwhile."""
        task = asyncio.create_task(Runner(self.settings, means).run())
        try:
            yield
        finally:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
