"""Who was refused what: written beside the answers, a bounded number waiting."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import UTC, datetime
from typing import NamedTuple

from asyncpg import Pool

from config.logging import get_logger
from workers.gateway.metrics import GatewayMetrics
from workers.runtime.postgres import DATABASE_ERRORS

WAITING_MAX = 10_000
WRITTEN_MAX = 500
PAUSE_S = 0.2
RETRY_S = 1.0
FIELD_CHARS_MAX = 300

WRITE = """
INSERT INTO audit (workspace_id, at, actor, address, call, subject, code)
SELECT * FROM unnest(
    $1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
"""
FORGET = """
DELETE FROM audit WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM audit WHERE at < now() - interval '180 days' LIMIT 10000))
"""

_log = get_logger(__name__)


class Refused(NamedTuple):
    """One refused attempt."""

    workspace: str
    at: datetime
    actor: str
    address: str
    call: str
    subject: str
    code: str


class Audit:
    """Takes refused attempts at once and writes them soon; what is too much is counted and logged instead."""

    def __init__(self, pool: Pool, metrics: GatewayMetrics) -> None:
        self._pool = pool
        self._metrics = metrics
        self._waiting: deque[Refused] = deque()
        self._some = asyncio.Event()

    def refused(
        self, workspace: str, actor: str, address: str, call: str, code: str, subject: str = ""
    ) -> None:
        """Remember a refused attempt; what it named is cut to a bearable length."""
        self._metrics.refused.labels(call, code).inc()
        words = (word.replace("\x00", "")[:FIELD_CHARS_MAX] for word in (actor, address, call, subject, code))
        one = Refused(workspace.replace("\x00", "")[:FIELD_CHARS_MAX], datetime.now(UTC), *words)
        if len(self._waiting) >= WAITING_MAX:
            self._metrics.unaudited.inc()
            return
        self._waiting.append(one)
        self._some.set()

    async def run(self) -> None:
        """Write what waits, until cancelled; then once more."""
        try:
            while True:
                await self._some.wait()
                self._some.clear()
                while self._waiting:
                    await self._write_some()
                await asyncio.sleep(PAUSE_S)
        finally:
            if self._waiting:
                await self._write()

    async def forget(self) -> None:
        """Drop some of what is older than half a year."""
        await self._pool.execute(FORGET)

    async def _write_some(self) -> None:
        try:
            await self._write()
        except DATABASE_ERRORS as error:
            _log.warning("audit_waits", error=error, waiting=len(self._waiting))
            await asyncio.sleep(RETRY_S)

    async def _write(self) -> None:
        rows = [self._waiting[number] for number in range(min(WRITTEN_MAX, len(self._waiting)))]
        await self._pool.execute(WRITE, *(list(column) for column in zip(*rows, strict=True)))
        for _ in rows:
            self._waiting.popleft()
