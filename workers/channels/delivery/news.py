"""What becomes known of messages: the channel's word of them is taken in, and how they stand is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from schemas.base import rfc3339
from schemas.envelope import Kind, moment
from schemas.ids import EVENTS, channel_of, conversation_id, uuid5
from schemas.outbound import Echoed
from schemas.receipts import Arrival
from workers.runtime.batch import TimerDue
from workers.runtime.handler import Connection

DELIVERY = Kind("receipts", "delivery")

# Whatever became of the call: what the channel shows was sent. Only of the part that is next, and once.
ECHOED = """
UPDATE delivery SET ids = ids || $4::text, reason = NULL, failures = 0,
    state = CASE WHEN $3 + 1 >= parts THEN 'sent' ELSE 'queued' END,
    due_at = CASE WHEN $3 + 1 >= parts THEN NULL ELSE now() END,
    content = CASE WHEN $3 + 1 >= parts THEN NULL ELSE content END,
    version = version + 1, told = false, changed_at = now()
WHERE workspace_id = $1 AND message_id = $2 AND cardinality(ids) = $3
    AND state IN ('queued', 'sending', 'unknown')
"""
# A message is read when its last part is; by the watermark, when it was given to the channel before it.
# Of who is kept out no agent learns what he reads.
ARRIVED = """
UPDATE delivery SET state = $2, version = version + 1, told = false, changed_at = now()
WHERE conversation_id = $1 AND (state = 'sent' OR (state = 'delivered' AND $2 = 'read'))
    AND (ids[cardinality(ids)] = ANY($3::text[]) OR attempted_at <= $4)
    AND NOT EXISTS (
        SELECT FROM conversation c
        WHERE c.workspace_id = delivery.workspace_id AND c.conversation_id = delivery.conversation_id
            AND c.blocked)
"""
UNTOLD = """
WITH news AS (
    SELECT workspace_id, message_id FROM delivery
    WHERE lane = ANY($1::int[]) AND NOT told AND state <> 'sending'
    ORDER BY changed_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE delivery d SET told = true
FROM news WHERE d.workspace_id = news.workspace_id AND d.message_id = news.message_id
RETURNING d.workspace_id, d.message_id, d.desk_id, d.lane, d.conversation_id, d.key, d.page_id, d.position,
    d.sender, d.state, d.reason, d.parts, d.ids, d.version, d.changed_at
"""


async def echoed(connection: Connection, echo: Echoed) -> None:
    """The channel shows a part of a message of ours."""
    await connection.execute(ECHOED, echo.workspace, echo.message, echo.part, echo.channel_message_id)


async def arrived(connection: Connection, arrival: Arrival) -> None:
    """The channel says what has reached the customer, or what he has read."""
    until = None if arrival.until_ms is None else moment(arrival.until_ms)
    conversation = conversation_id(arrival.key)
    await connection.execute(ARRIVED, conversation, arrival.state, list(arrival.channel_message_ids), until)


async def untold(
    connection: Connection, lanes: Sequence[int], limit: int, statement: str = UNTOLD
) -> list[TimerDue]:
    """Up to `limit` messages that have changed since they were last told, marked as told."""
    rows = await connection.fetch(statement, lanes, limit)
    return [_told(row) for row in sorted(rows, key=lambda row: (row["key"], row["position"]))]


def _told(row: Mapping[str, Any]) -> TimerDue:
    value = {
        "workspace": row["workspace_id"],
        "desk": row["desk_id"],
        "conversation": row["conversation_id"],
        "key": row["key"],
        "page": row["page_id"],
        "channel": channel_of(row["page_id"]),
        "message": row["message_id"],
        "position": row["position"],
        "sender": row["sender"],
        "state": row["state"],
        "reason": row["reason"],
        "parts": row["parts"],
        "channel_message_ids": row["ids"],
        "duration_s": row.get("duration_s"),
        "version": row["version"],
        "at": rfc3339(row["changed_at"]),
    }
    return TimerDue(
        lane=row["lane"],
        topic=DELIVERY.topic,
        id=uuid5(EVENTS, f"delivery/{row['workspace_id']}/{row['message_id']}/{row['version']}"),
        key=row["key"].encode(),
        kind=DELIVERY,
        value=orjson.dumps(value, default=str),
    )
