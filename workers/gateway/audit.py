"""Who was refused what: written beside the answers, a bounded number waiting."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime

from asyncpg import Pool

from config.logging import get_logger
from workers.gateway.identity import Identity
from workers.gateway.metrics import GatewayMetrics
from workers.gateway.problem import ApiError, Noted, forbidden
from workers.gateway.repeats import TOLD_EVERY_S, Refused, Repeats
from workers.runtime.postgres import DATABASE_ERRORS

WAITING_MAX = 10_000
STRANGERS_WAITING_MAX = WAITING_MAX // 2
"""Of those who have not proved who they are: they push out nothing of those who have."""
WRITTEN_MAX = 500
PAUSE_S = 0.2
RETRY_S = 1.0
FIELD_CHARS_MAX = 300

WRITE = """
INSERT INTO audit (workspace_id, at, actor, address, call, subject, code, proven, times)
SELECT * FROM unnest(
    $1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[],
    $9::int[])
"""
# Of what is older than half a year, some: how old is the function's to say, which has the right to it.
FORGET = "SELECT forget_audit()"

_log = get_logger(__name__)


class Audit:
    """Takes refused attempts at once and writes them soon; those that come again and again as one row."""

    def __init__(self, pool: Pool, metrics: GatewayMetrics) -> None:
        self._pool = pool
        self._metrics = metrics
        self._waiting: deque[Refused] = deque()
        self._repeats = Repeats()
        self._some = asyncio.Event()

    def refused(
        self,
        workspace: str,
        actor: str,
        address: str,
        call: str,
        code: str,
        subject: str = "",
        *,
        proven: bool,
        times: int = 1,
    ) -> None:
        """Remember a refused attempt; what it named is cut to a bearable length.

        Args:
            proven: whether it is certain that it was `actor`, of this workspace.
            times: of how many things at once.
        """
        self._metrics.refused.labels(call, code).inc(times)
        of, who, where, what, about, why = map(_cut, (workspace, actor, address, call, subject, code))
        one = Refused(of, datetime.now(UTC), who, where, what, about, why, proven, times)
        room = WAITING_MAX if proven else STRANGERS_WAITING_MAX
        if self._repeats.has_own_row(one, time.monotonic()) and len(self._waiting) < room:
            self._waiting.append(one)
            self._some.set()
        elif not self._repeats.count(one):
            self._metrics.unaudited.inc(times)

    def noted(self, noted: Noted, address: str, call: str) -> None:
        """Remember the refusal of somebody of whom no more is known than stands in `noted`."""
        self.refused(noted.workspace, noted.actor, address, call, noted.code, proven=noted.proven)

    def forbid(
        self, identity: Identity, address: str, call: str, subject: str, sentence: str | None = None
    ) -> ApiError:
        """What refuses somebody a call that is not his, remembered."""
        self.refused(identity.workspace, identity.actor, address, call, "forbidden", subject, proven=True)
        return forbidden(sentence or f"You may not {call.replace('_', ' ')} here.")

    async def run(self) -> None:
        """Write what waits, until cancelled; then once more."""
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(TOLD_EVERY_S):
                        await self._some.wait()
                self._some.clear()
                self._waiting.extend(self._repeats.due(time.monotonic()))
                while self._waiting:
                    await self._write_some()
                await asyncio.sleep(PAUSE_S)
        finally:
            self._waiting.extend(self._repeats.all(time.monotonic()))
            if self._waiting:
                await self._write()

    async def forget(self) -> None:
        """Drop what is older than half a year. Raises what Postgres raises."""
        while await self._pool.fetchval(FORGET):
            pass

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


def _cut(word: str) -> str:
    return word.replace("\x00", "")[:FIELD_CHARS_MAX]
