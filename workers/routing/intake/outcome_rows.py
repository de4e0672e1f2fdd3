"""Rows of `intake_outcome`, so that an action which comes again gets no second outcome."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

import asyncpg
import orjson

from schemas.envelope import time_text
from schemas.outcomes import read_outcome, written_outcome
from workers.routing.intake.outcomes import KEPT_MS, Asker, Remembered
from workers.runtime.handler import Connection
from workers.runtime.upkeep import Chore

FORGET_EVERY_S = 10.0
FORGET_ROWS = 5_000
"""In one step: with the interval, 500 actions a second can be forgotten by each worker."""

# LATERAL with LIMIT: one descent of the index for each, whatever the planner believes of the table's size.
LOAD = """
SELECT found.*
FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (workspace_id, actor, idempotency_key)
CROSS JOIN LATERAL (
    SELECT workspace_id, actor, idempotency_key, encode(request_sha256, 'hex'), outcome,
        extract(epoch FROM decided_at)
    FROM intake_outcome
    WHERE workspace_id = wanted.workspace_id AND actor = wanted.actor
        AND idempotency_key = wanted.idempotency_key
    LIMIT 1
) AS found
"""
# A row is replaced when its key is a new one after a day, or when what it waited for has been decided.
STORE = """
INSERT INTO intake_outcome AS stored (
    workspace_id, actor, idempotency_key, request_sha256, outcome, decided_at)
SELECT workspace_id, actor, idempotency_key, decode(request_sha256, 'hex'), outcome, decided_at
FROM json_to_recordset($1::json) AS new (
    workspace_id text, actor text, idempotency_key text, request_sha256 text, outcome jsonb,
    decided_at timestamptz)
ON CONFLICT (workspace_id, actor, idempotency_key) DO UPDATE SET
    request_sha256 = excluded.request_sha256, outcome = excluded.outcome, decided_at = excluded.decided_at
WHERE CASE WHEN stored.outcome IS NULL THEN stored.request_sha256 = excluded.request_sha256
    ELSE stored.decided_at <= excluded.decided_at - $2::interval END
"""
# By the log's time and by the server's: one clock that is ahead must not make us forget too early.
FORGET = """
WITH old AS (
    SELECT workspace_id, actor, idempotency_key FROM intake_outcome
    WHERE outcome IS NOT NULL AND decided_at < (
        SELECT least(now(), to_timestamp(max(at_ms) / 1000.0)) FROM lane WHERE kind = 'intake') - $1::interval
    ORDER BY decided_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED)
DELETE FROM intake_outcome AS stored USING old
WHERE stored.workspace_id = old.workspace_id AND stored.actor = old.actor
    AND stored.idempotency_key = old.idempotency_key
"""

_KEPT = timedelta(milliseconds=KEPT_MS)


async def load(connection: Connection, askers: Collection[Asker]) -> list[tuple[Asker, Remembered]]:
    """What `askers` have got already, or wait for."""
    if not askers:
        return []
    columns = map(list, zip(*askers, strict=True))
    return [
        ((workspace, actor, key), Remembered(digest, round(decided_at_s * 1000), text and read_outcome(text)))
        for workspace, actor, key, digest, text, decided_at_s in await connection.fetch(LOAD, *columns)
    ]


async def store(connection: Connection, new: Mapping[Asker, Remembered]) -> None:
    """Keep what became of actions, in the order of the keys so that two batches never wait for each other.

    Raises asyncpg.SerializationError when another lane used one of the keys at the same time: tried again,
    the batch will find it.
    """
    if not new:
        return
    rows = [_row(asker, remembered) for asker, remembered in sorted(new.items())]
    status = await connection.execute(STORE, orjson.dumps(rows).decode(), _KEPT)
    if status != f"INSERT 0 {len(rows)}":
        raise asyncpg.SerializationError("another lane has used one of these idempotency keys")


def outcomes_chore() -> Chore:
    """To be done all the time, by every worker: they do not get into each other's way."""
    return Chore("intake_outcome", FORGET_EVERY_S, forget)


async def forget(connection: Connection) -> int:
    """Remove some of what is older than a day; how many rows that were."""
    status: str = await connection.execute(FORGET, _KEPT, FORGET_ROWS)
    return int(status.rsplit(" ", 1)[-1])


def _row(asker: Asker, remembered: Remembered) -> dict[str, Any]:
    workspace, actor, key = asker
    outcome = remembered.outcome
    row: dict[str, Any] = {
        "workspace_id": workspace,
        "actor": actor,
        "idempotency_key": key,
        "request_sha256": remembered.request_sha256,
        "decided_at": time_text(remembered.at_ms),
    }
    if outcome is not None:
        row["outcome"] = written_outcome(outcome)
    return row
