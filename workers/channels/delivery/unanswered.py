"""Messages without an answer whose echo does not come: decided in the lane, behind every echo it has read.

A worker's clock only proposes. Were it to decide, a lane that lags, or that nobody holds, would have messages
sent twice whose echoes wait in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson

from config.delivery import DeliverySettings
from schemas.base import rfc3339
from schemas.envelope import Kind
from schemas.ids import EVENTS, uuid5
from schemas.outbound import EchoTimer
from workers.channels.delivery.page_rows import NOTIFY
from workers.channels.delivery.progress import Standing, settle
from workers.runtime.batch import TimerDue
from workers.runtime.handler import Connection

TIMER = Kind("outbound", "echo_timer")
AGAIN_S = 600.0
"""A timer that has not come back by then is sent once more: Kafka may have lost it, and two do no harm."""

PROPOSE = """
WITH due AS (
    SELECT workspace_id, message_id, due_at FROM delivery
    WHERE lane = ANY($1::int[]) AND state = 'unknown' AND due_at <= now()
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE delivery d SET due_at = now() + $3::interval
FROM due WHERE d.workspace_id = due.workspace_id AND d.message_id = due.message_id
RETURNING d.workspace_id, d.message_id, d.conversation_id, d.key, d.lane, d.version, due.due_at
"""
STANDS = """
SELECT ids, parts, failures, resent FROM delivery
WHERE workspace_id = $1 AND message_id = $2 AND version = $3 AND state = 'unknown' FOR UPDATE
"""
SETTLE = """
UPDATE delivery SET state = $3, reason = $4, due_at = now() + $5::interval, resent = resent OR $3 = 'queued',
    version = version + 1, told = false, changed_at = now()
WHERE workspace_id = $1 AND message_id = $2
"""


async def due(connection: Connection, lanes: Sequence[int], limit: int) -> list[TimerDue]:
    """Timers of messages that have waited long enough, on their way from now on."""
    return [
        TimerDue(
            lane=row["lane"],
            topic=TIMER.topic,
            id=uuid5(EVENTS, _id(row)),
            key=row["key"].encode(),
            kind=TIMER,
            value=orjson.dumps(
                {
                    "workspace": row["workspace_id"],
                    "conversation": row["conversation_id"],
                    "key": row["key"],
                    "message": row["message_id"],
                    "version": row["version"],
                    "due_at": rfc3339(row["due_at"]),
                },
                default=str,
            ),
        )
        for row in await connection.fetch(PROPOSE, lanes, limit, timedelta(seconds=AGAIN_S))
    ]


def _id(row: Mapping[str, Any]) -> str:
    return f"echo/{row['workspace_id']}/{row['message_id']}/{row['version']}/{rfc3339(row['due_at'])}"


async def decide(connection: Connection, timer: EchoTimer, settings: DeliverySettings) -> None:
    """No echo has come: the operators' rule holds."""
    row = await connection.fetchrow(STANDS, timer.workspace, timer.message, timer.version)
    if row is None:
        return
    was = Standing(row["ids"], row["parts"], row["failures"], resent=row["resent"])
    step = settle(was, settings)
    wait = None if step.due_s is None else timedelta(seconds=step.due_s)
    await connection.execute(SETTLE, timer.workspace, timer.message, step.state, step.reason, wait)
    await connection.execute(NOTIFY)
