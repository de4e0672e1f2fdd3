"""Outcomes that are kept for a day, so that a repeated command gets no second one."""

from __future__ import annotations

from collections.abc import Collection

import orjson

from schemas.ids import desk_key
from schemas.outcomes import Done, Outcome, Refused
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
SELECT outcome->>'workspace', outcome->>'desk', outcome->>'actor', outcome->>'idempotency_key',
    decode(outcome->>'request_sha256', 'hex'), outcome, (outcome->>'at')::timestamptz
FROM jsonb_array_elements($1::jsonb) AS given (outcome)
ON CONFLICT (workspace_id, desk_id, actor, idempotency_key) DO UPDATE SET
    request_sha256 = excluded.request_sha256, outcome = excluded.outcome, decided_at = excluded.decided_at
"""
DROP_OLD = "DELETE FROM desk_outcome WHERE workspace_id || ':' || desk_id = $1 AND decided_at < $2"

Asker = tuple[str, str, str, str]
"""Workspace, desk, actor and idempotency key."""


async def load_outcomes(connection: Connection, askers: Collection[Asker]) -> list[Outcome]:
    """The outcomes that these have got already."""
    if not askers:
        return []
    rows = await connection.fetch(LOAD, *(list(column) for column in zip(*askers, strict=True)))
    return [_outcome(row["outcome"]) for row in rows]


async def store_outcomes(connection: Connection, outcomes: Collection[Outcome]) -> None:
    """Keep `outcomes`, and drop those of their desks that are older than a day."""
    if not outcomes:
        return
    given = [{"kind": type(one).__name__.lower(), **one.model_dump(mode="json")} for one in outcomes]
    await connection.execute(STORE, orjson.dumps(given).decode())
    desks = {(desk_key(one.workspace, one.desk), one.at - KEPT) for one in outcomes}
    await connection.executemany(DROP_OLD, desks)


def _outcome(text: str) -> Outcome:
    fields = orjson.loads(text)
    return (Refused if fields["kind"] == "refused" else Done).model_validate(fields)
