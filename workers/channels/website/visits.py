"""Where visitors are, for all ingresses to know, so that one of them tells of who is nowhere any more.

Each ingress writes who of those that have ever written is with it, and that it is alive. When it dies, its
visitors have left when it last said so. None decides by what it alone knows: a visitor is gone who has been
nowhere for longer than the grace, by the database's clock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from config.logging import get_logger
from workers.channels.glance import Place
from workers.channels.publisher import Publisher, UnpublishedError
from workers.channels.records import Webhook, outgoing
from workers.channels.website.records import CHANNEL, departure
from workers.channels.website.returns import Returns
from workers.runtime.postgres import DATABASE_ERRORS

BEAT_MAX_S = 5.0
GATHER_S = 0.1
TOLD_MAX = 200
"""At once; the next ones soon after."""

# True: the others took this ingress for dead, or it is new.
BEAT = """
INSERT INTO visit_ingress AS known (ingress, alive_at) VALUES ($1, clock_timestamp())
ON CONFLICT (ingress) DO UPDATE SET alive_at = excluded.alive_at
RETURNING known.xmax = 0
"""
STORE = """
INSERT INTO visit (workspace_id, conversation_id, ingress, key, left_at)
SELECT workspace_id, conversation_id, $1, key, clock_timestamp() - ago
FROM unnest($2::text[], $3::uuid[], $4::text[], $5::interval[])
    AS seen (workspace_id, conversation_id, key, ago)
ON CONFLICT (workspace_id, conversation_id, ingress) DO UPDATE SET left_at = excluded.left_at
"""
BURY = """
WITH dead AS (DELETE FROM visit_ingress WHERE alive_at < now() - $1::interval RETURNING ingress, alive_at)
UPDATE visit SET left_at = dead.alive_at FROM dead WHERE visit.ingress = dead.ingress AND left_at IS NULL
"""
GONE = """
SELECT v.workspace_id, v.conversation_id, v.ingress, v.key, v.left_at, now() - v.left_at AS ago
FROM visit v
WHERE v.left_at < now() - $1::interval AND NOT EXISTS (
    SELECT FROM visit other
    WHERE other.workspace_id = v.workspace_id AND other.conversation_id = v.conversation_id
        AND (other.left_at IS NULL OR other.left_at >= now() - $1::interval))
ORDER BY v.left_at LIMIT $2
FOR UPDATE OF v SKIP LOCKED
"""
FORGET = """
DELETE FROM visit
USING unnest($1::text[], $2::uuid[], $3::text[]) AS told (workspace_id, conversation_id, ingress)
WHERE visit.workspace_id = told.workspace_id AND visit.conversation_id = told.conversation_id
    AND visit.ingress = told.ingress
"""

_log = get_logger(__name__)


class Visit(NamedTuple):
    """A visitor at this ingress, by the key of his conversation; `left_s`: since when he is not any more."""

    key: str
    left_s: float | None = None


class Departure(NamedTuple):
    """A visitor who has been nowhere since `left_at`, for `ago`."""

    key: str
    left_at: datetime
    ago: timedelta


class Visits:
    """Those of one ingress.

    Args:
        pool: asyncpg's.
        ingress: the id of this life of it.
        grace_s: so long a visitor may be nowhere before he has left.
    """

    def __init__(self, pool: Any, publisher: Publisher, ingress: str, grace_s: float) -> None:  # noqa: ANN401
        self._pool = pool
        self._publisher = publisher
        self._ingress = ingress
        self._grace = timedelta(seconds=grace_s)
        # After half of it a silent ingress is taken for dead; and so long this one must have been connected
        # before it takes anybody for gone: after an outage the others and their visitors come back first.
        self._half = self._grace / 2
        self._beat_s = min(BEAT_MAX_S, grace_s / 8)
        self._here: dict[Place, str] = {}
        self._due: dict[Place, Visit] = {}
        self._some = asyncio.Event()
        self._returns = Returns(pool, publisher, self._half)
        self._since_s: float | None = None
        """Since when Postgres has answered, without a break."""

    def came(self, place: Place, key: str) -> None:
        """He is here; harmless when that is known."""
        if place not in self._here:
            self._here[place] = key
            self._note(place, Visit(key))

    def went(self, place: Place, now_s: float) -> None:
        """His last tab here is closed; harmless when he never was here."""
        key = self._here.pop(place, None)
        if key is not None:
            self._note(place, Visit(key, now_s))

    async def run(self) -> None:
        """Write who is here and tell who is gone, until cancelled."""
        beat_s = 0.0
        while True:
            try:
                await self._store()
                if time.monotonic() >= beat_s:
                    beat_s = time.monotonic() + self._beat_s
                    await self.beat(time.monotonic())
            except DATABASE_ERRORS as error:
                self._since_s = None
                _log.warning("visits_wait_for_postgres", error=error)
                await asyncio.sleep(self._beat_s)
            await asyncio.sleep(GATHER_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, beat_s - time.monotonic())):
                    await self._some.wait()

    async def beat(self, now_s: float) -> None:
        """Say that this ingress is alive and, when it has been for long enough, look who is gone.

        Raises what Postgres raises.
        """
        if await self._pool.fetchval(BEAT, self._ingress):
            self._due = {place: Visit(key) for place, key in self._here.items()} | self._due
            self._some.set()
        self._since_s = now_s if self._since_s is None else self._since_s
        if now_s - self._since_s >= self._half.total_seconds():
            await self._pool.execute(BURY, self._half)
            while await self._tell() == TOLD_MAX:
                pass
        await self._returns.settle()

    async def _store(self) -> None:
        self._some.clear()
        due, self._due = self._due, {}
        if not due:
            return
        now_s = time.monotonic()
        rows = [
            (*place, one.key, None if one.left_s is None else timedelta(seconds=now_s - one.left_s))
            for place, one in due.items()
        ]
        try:
            await self._returns.tell({place: one.key for place, one in due.items() if one.left_s is None})
            await self._pool.execute(STORE, self._ingress, *map(list, zip(*rows, strict=True)))
        except DATABASE_ERRORS:
            self._due = due | self._due
            raise
        except UnpublishedError as error:
            self._due = due | self._due
            _log.warning("returns_wait_for_kafka", error=error)
        else:
            await self._returns.settle()

    async def _tell(self) -> int:
        """Publish that some have left, then forget them: who is killed between the two has it told again."""
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(GONE, self._grace, TOLD_MAX)
            if not rows:
                return 0
            try:
                await self._publish([Departure(row["key"], row["left_at"], row["ago"]) for row in rows])
            except UnpublishedError as error:
                _log.warning("departures_wait_for_kafka", error=error)
                return 0
            places = ((row["workspace_id"], row["conversation_id"], row["ingress"]) for row in rows)
            await connection.execute(FORGET, *map(list, zip(*places, strict=True)))
        self._returns.doubt({(row["workspace_id"], row["conversation_id"]): row["key"] for row in rows})
        return len(rows)

    async def _publish(self, gone: Sequence[Departure]) -> None:
        """Once for each, though he may have been at several ingresses. Raises UnpublishedError."""
        last = {one.key: one for one in gone}  # in the order of their leaving
        webhook = Webhook(CHANNEL, b"", time.time_ns() // 1_000_000)
        records = [outgoing(webhook, departure(one.key, one.left_at, one.ago)) for one in last.values()]
        await self._publisher.publish(records)

    def _note(self, place: tuple[str, UUID], visit: Visit) -> None:
        self._due[place] = visit
        self._some.set()
