"""Outcomes that are kept for a day, so that a repeated command gets no second one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import orjson

from schemas.ids import desk_key
from schemas.outcomes import Outcome, read_outcome, written_outcome
from workers.routing.outcomes import KEPT
from workers.runtime.handler import Connection

# LATERAL with LIMIT: one descent of the index for each, whatever the planner believes of the table's size.
LOAD = """
SELECT found.outcome
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
    AS wanted (workspace_id, desk_id, actor, idempotency_key)
CROSS JOIN LATERAL (
    SELECT outcome FROM desk_outcome
    WHERE workspace_id = wanted.workspace_id AND desk_id = wanted.desk_id AND actor = wanted.actor
        AND idempotency_key = wanted.idempotency_key
    LIMIT 1
) AS found
"""
STORE = """
INSERT INTO desk_outcome (
    workspace_id, desk_id, actor, idempotency_key, request_sha256, outcome, decided_at)
SELECT workspace, desk, actor, idempotency_key, decode(request_sha256, 'hex'), outcome, at
FROM json_to_recordset($1::json) AS given (
    workspace text, desk text, actor text, idempotency_key text, request_sha256 text, outcome jsonb,
    at timestamptz)
ON CONFLICT (workspace_id, desk_id, actor, idempotency_key) DO UPDATE SET
    request_sha256 = excluded.request_sha256, outcome = excluded.outcome, decided_at = excluded.decided_at
"""
DROP_OLD = """
DELETE FROM desk_outcome
WHERE workspace_id || ':' || desk_id = $1 AND decided_at < $2 AND decided_at <= coalesce((
    SELECT decided_at FROM desk_outcome
    WHERE workspace_id || ':' || desk_id = $1 AND decided_at < $2
    ORDER BY decided_at
    OFFSET $3 LIMIT 1
), $2)
"""
DROP_EVERY = 500
"""Outcomes of a desk; each time, of the old ones, four times as many as have come are dropped."""

Asker = tuple[str, str, str, str]
"""Workspace, desk, actor and idempotency key."""


async def load_outcomes(connection: Connection, askers: Collection[Asker]) -> list[Outcome]:
    """The outcomes that these have got already."""
    if not askers:
        return []
    rows = await connection.fetch(LOAD, *(list(column) for column in zip(*askers, strict=True)))
    return [read_outcome(row["outcome"]) for row in rows]


async def store_outcomes(connection: Connection, outcomes: Collection[Outcome]) -> None:
    """Keep `outcomes`."""
    if outcomes:
        await connection.execute(STORE, orjson.dumps([_row(one) for one in outcomes]).decode())


async def drop_old(connection: Connection, workspace: str, desk: str, at: datetime) -> None:
    """Drop the oldest outcomes of a desk, of those that nobody can ask for any more at `at`."""
    await connection.execute(DROP_OLD, desk_key(workspace, desk), at - KEPT, 4 * DROP_EVERY)


def _row(outcome: Outcome) -> dict[str, Any]:
    said = written_outcome(outcome)
    return {**{name: said[name] for name in _COLUMNS}, "outcome": said}


_COLUMNS = ("workspace", "desk", "actor", "idempotency_key", "request_sha256", "at")
