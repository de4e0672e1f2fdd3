"""What a worker writes of an endpoint: nothing, once its term is another."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import orjson
from asyncpg import Pool

from workers.webhooks.endpoint import ATTEMPTS_KEPT, Attempt, State
from workers.webhooks.event import Place
from workers.webhooks.leases import Leased, Name
from workers.webhooks.track import Failing

FENCE = """
SELECT FROM webhook_endpoint
WHERE workspace_id = $1 AND endpoint_id = $2 AND owner = $3 AND term = $4 FOR UPDATE
"""
STANDING = """
UPDATE webhook_endpoint SET failures = $3, failing_since = $4, retry_at = $5,
    delivered_at = coalesce($6, delivered_at), behind = $7, waiting_since = $8,
    test_asked = test_asked AND NOT $9, state = coalesce($10, state), why = coalesce($11, why), start = NULL
WHERE workspace_id = $1 AND endpoint_id = $2
"""
POSITIONS = """
INSERT INTO webhook_position (workspace_id, endpoint_id, topic, offsets)
SELECT $1, $2, one.key, ARRAY(SELECT jsonb_array_elements_text(one.value)::bigint)
FROM jsonb_each($3::jsonb) AS one
ON CONFLICT (workspace_id, endpoint_id, topic) DO UPDATE SET offsets = excluded.offsets
"""
FREE = "DELETE FROM webhook_stuck WHERE workspace_id = $1 AND endpoint_id = $2"
STUCK = """
INSERT INTO webhook_stuck (workspace_id, endpoint_id, topic, partition, failures, failing_since, retry_at)
SELECT $1, $2, * FROM unnest($3::text[], $4::int[], $5::int[], $6::timestamptz[], $7::timestamptz[])
"""
ATTEMPTED = """
INSERT INTO webhook_attempt
    (workspace_id, endpoint_id, at, event_id, event_type, topic, partition, record, status, error, took_ms)
SELECT $1, $2, * FROM unnest($3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::int[], $8::bigint[],
    $9::int[], $10::text[], $11::int[])
"""
TRIM = """
DELETE FROM webhook_attempt WHERE workspace_id = $1 AND endpoint_id = $2 AND attempt_id <= (
    SELECT attempt_id FROM webhook_attempt WHERE workspace_id = $1 AND endpoint_id = $2
    ORDER BY attempt_id DESC OFFSET $3 LIMIT 1)
"""
READ_POSITIONS = "SELECT topic, offsets FROM webhook_position WHERE workspace_id = $1 AND endpoint_id = $2"
READ_STUCK = """
SELECT topic, partition, failures, failing_since, retry_at FROM webhook_stuck
WHERE workspace_id = $1 AND endpoint_id = $2
"""


class LeaseLostError(Exception):
    """Another worker has the endpoint, or an admin changed it: what this one knows is old."""


class Standing(NamedTuple):
    """How an endpoint stands: all that is stored of it."""

    positions: Mapping[str, Sequence[int]]
    failing: Failing
    stuck: Mapping[Place, Failing]
    delivered_at: datetime | None
    behind: int
    waiting_since: datetime | None
    state: State | None = None
    """None: as it is."""
    why: str | None = None
    attempts: Sequence[Attempt] = ()
    """Those since the last time."""
    is_tested: bool = False
    """Whether a test is among them."""


class Store:
    """What one worker reads and writes of endpoints. All methods raise what Postgres raises."""

    def __init__(self, pool: Pool, worker: UUID) -> None:
        self._pool = pool
        self._worker = worker

    async def positions(self, name: Name) -> dict[Place, int]:
        """The stored positions; none of an endpoint that never began."""
        rows = await self._pool.fetch(READ_POSITIONS, *name)
        return {
            Place(topic, number): offset for topic, offsets in rows for number, offset in enumerate(offsets)
        }

    async def stuck(self, name: Name) -> dict[Place, Failing]:
        """The partitions that were refused."""
        rows = await self._pool.fetch(READ_STUCK, *name)
        return {Place(topic, partition): Failing(*failing) for topic, partition, *failing in rows}

    async def write(self, leased: Leased, standing: Standing) -> None:
        """Store how it stands, whole or not at all. Raises LeaseLostError."""
        name = leased.name
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchrow(FENCE, *name, self._worker, leased.term) is None:
                raise LeaseLostError
            await connection.execute(STANDING, *name, *_standing_values(standing))
            await connection.execute(POSITIONS, *name, orjson.dumps(standing.positions).decode())
            await connection.execute(FREE, *name)
            if standing.stuck:
                await connection.execute(STUCK, *name, *_stuck_columns(standing.stuck))
            if standing.attempts:
                await connection.execute(ATTEMPTED, *name, *_attempt_columns(standing.attempts))
                await connection.execute(TRIM, *name, ATTEMPTS_KEPT)


def _standing_values(standing: Standing) -> tuple[object, ...]:
    failing = standing.failing
    return (
        failing.failures,
        failing.since,
        failing.retry_at,
        standing.delivered_at,
        standing.behind,
        standing.waiting_since,
        standing.is_tested,
        standing.state,
        standing.why,
    )


def _stuck_columns(stuck: Mapping[Place, Failing]) -> list[list[object]]:
    rows = [(*place, failing.failures, failing.since, failing.retry_at) for place, failing in stuck.items()]
    return [list(column) for column in zip(*rows, strict=True)]


def _attempt_columns(attempts: Collection[Attempt]) -> list[list[object]]:
    names = ("at", "event", "type", "topic", "partition", "offset", "status", "error", "took_ms")
    return [[getattr(one, name) for one in attempts] for name in names]
