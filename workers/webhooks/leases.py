"""Which worker sends to which endpoint: a lease in Postgres, and a term that fences off who had it before.

The same term is never held twice: each claim raises it, and so does each change by an admin. What a worker
stores names its term, and is refused once it is another.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from asyncpg import Pool

from workers.webhooks.clock import Clock
from workers.webhooks.signing import Salt

ALIVE = """
INSERT INTO webhook_worker (worker_id, alive_until) VALUES ($1, now() + $2)
ON CONFLICT (worker_id) DO UPDATE SET alive_until = excluded.alive_until
RETURNING now()
"""
FORGET = "DELETE FROM webhook_worker WHERE alive_until < now() OR worker_id = $1"
SHARE = """
SELECT ceil(count(*)::numeric / greatest(1, (
    SELECT count(*) FROM webhook_worker WHERE alive_until > now()
)))::int
FROM webhook_endpoint WHERE state = 'active' OR test_asked
"""
RENEW = """
UPDATE webhook_endpoint e SET lease_until = now() + $2
FROM unnest($3::text[], $4::text[], $5::bigint[]) AS held (workspace_id, endpoint_id, term)
WHERE e.workspace_id = held.workspace_id AND e.endpoint_id = held.endpoint_id AND e.term = held.term
    AND e.owner = $1
RETURNING e.workspace_id, e.endpoint_id, e.test_asked
"""
CLAIM = """
UPDATE webhook_endpoint e SET owner = $1, lease_until = now() + $2, term = term + 1
FROM (
    SELECT workspace_id, endpoint_id FROM webhook_endpoint
    WHERE (state = 'active' OR test_asked) AND (owner IS NULL OR lease_until < now())
    ORDER BY lease_until NULLS FIRST LIMIT $3 FOR UPDATE SKIP LOCKED
) AS free
WHERE e.workspace_id = free.workspace_id AND e.endpoint_id = free.endpoint_id
RETURNING e.*
"""
# By whatever term: who lost it to a change still has to let go, so that nobody else sends beside him.
LET_GO = """
UPDATE webhook_endpoint e SET owner = NULL, lease_until = NULL
FROM unnest($2::text[], $3::text[]) AS held (workspace_id, endpoint_id)
WHERE e.workspace_id = held.workspace_id AND e.endpoint_id = held.endpoint_id AND e.owner = $1
"""


class Name(NamedTuple):
    """Which endpoint."""

    workspace: str
    endpoint: str


class Leased(NamedTuple):
    """An endpoint as it was claimed."""

    name: Name
    term: int
    url: str
    events: frozenset[str]
    is_active: bool
    test_asked: bool
    salt: Salt
    former_salt: Salt | None
    former_until: datetime | None
    start: str | None
    failures: int
    failing_since: datetime | None
    retry_at: datetime | None


class Leases:
    """The leases of one worker. All methods raise what Postgres raises.

    Attributes:
        clock: Postgres's, as it was told when they were renewed last.
    """

    def __init__(self, pool: Pool, worker: UUID, lease_s: float) -> None:
        self._pool = pool
        self._worker = worker
        self._lease = timedelta(seconds=lease_s)
        self.clock = Clock()

    async def renew(self, held: Collection[tuple[Name, int]]) -> dict[Name, bool]:
        """Be alive, and keep those of these names and terms that are still ours.

        Returns them, each with whether a test was asked for.
        """
        workspaces, endpoints, terms = _columns(held)
        async with self._pool.acquire() as connection:
            self.clock.set(await connection.fetchval(ALIVE, self._worker, self._lease))
            rows = await connection.fetch(RENEW, self._worker, self._lease, workspaces, endpoints, terms)
        return {Name(workspace, endpoint): asked for workspace, endpoint, asked in rows}

    async def share(self) -> int:
        """How many endpoints each living worker is to have."""
        return int(await self._pool.fetchval(SHARE))

    async def claim(self, at_most: int) -> list[Leased]:
        """Take endpoints that nobody has."""
        return [_leased(row) for row in await self._pool.fetch(CLAIM, self._worker, self._lease, at_most)]

    async def let_go(self, names: Collection[Name]) -> None:
        """Let others have them."""
        workspaces, endpoints = [one.workspace for one in names], [one.endpoint for one in names]
        await self._pool.execute(LET_GO, self._worker, workspaces, endpoints)

    async def leave(self) -> None:
        """Be counted no more."""
        await self._pool.execute(FORGET, self._worker)


def _columns(held: Collection[tuple[Name, int]]) -> tuple[list[str], list[str], list[int]]:
    return (
        [name.workspace for name, _ in held],
        [name.endpoint for name, _ in held],
        [term for _, term in held],
    )


def _leased(row: Any) -> Leased:  # noqa: ANN401 - asyncpg's Record
    former = row["former_salt"]
    return Leased(
        name=Name(row["workspace_id"], row["endpoint_id"]),
        term=row["term"],
        url=row["url"],
        events=frozenset(row["events"]),
        is_active=row["state"] == "active",
        test_asked=row["test_asked"],
        salt=Salt(row["key_id"], row["salt"]),
        former_salt=None if former is None else Salt(row["former_key_id"], former),
        former_until=row["former_until"],
        start=row["start"],
        failures=row["failures"],
        failing_since=row["failing_since"],
        retry_at=row["retry_at"],
    )
