"""What becomes known of messages: the channel's word of them is taken in, and how they stand is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from schemas.base import rfc3339
from schemas.envelope import Kind, moment
from schemas.ids import EVENTS, channel_of, conversation_id, uuid5
from schemas.outbound import Echoed
from schemas.receipts import Arrival
from workers.channels.delivery.heard import KEPT, UNDER_WAY, heard_of
from workers.runtime.batch import TimerDue
from workers.runtime.handler import Connection

DELIVERY = Kind("receipts", "delivery")
CLOCK_SKEW_MS = 1_000
"""Clocks that are kept differ by less."""
UNTIL_MAX_MS = 253_402_300_000_000
"""In the last year that there is."""

# Whatever became of the call: what the channel shows was sent. Only of the part that is next, and once.
ECHOED = f"""
UPDATE delivery SET ids = ids || $4::text, reason = NULL, failures = 0, resent = false, lost = 0,
    state = CASE WHEN $3 + 1 >= parts THEN {heard_of("$4")} ELSE 'queued' END,
    due_at = CASE WHEN $3 + 1 >= parts THEN NULL ELSE now() END,
    content = CASE WHEN $3 + 1 >= parts THEN NULL ELSE content END,
    heard = CASE WHEN $3 + 1 >= parts THEN '{{}}' ELSE heard END,
    version = version + 1, told = false, changed_at = now()
WHERE workspace_id = $1 AND message_id = $2 AND cardinality(ids) = $3
    AND state IN ('queued', 'sending', 'unknown')
"""  # noqa: S608  an expression of a module
# A message is read when its last part is; by the watermark, when it was given to the channel before it. With
# one that may be sent, as far as we know, it is kept: in one statement, as it may become `sent` between two.
# Of who is kept out no agent learns what he reads.
ARRIVED = f"""
UPDATE delivery SET
    state = CASE WHEN {UNDER_WAY} THEN state ELSE $2 END,
    heard = CASE WHEN {UNDER_WAY} THEN {KEPT} ELSE heard END,
    version = CASE WHEN {UNDER_WAY} THEN version ELSE version + 1 END,
    told = CASE WHEN {UNDER_WAY} THEN told ELSE false END,
    changed_at = CASE WHEN {UNDER_WAY} THEN changed_at ELSE now() END
WHERE conversation_id = $1 AND (
        ({UNDER_WAY} AND (cardinality($3::text[]) > 0 OR attempted_at <= $4))
        OR ((state = 'sent' OR (state = 'delivered' AND $2 = 'read'))
            AND (ids[cardinality(ids)] = ANY($3::text[]) OR attempted_at <= $4)))
    AND NOT EXISTS (
        SELECT FROM conversation c
        WHERE c.workspace_id = delivery.workspace_id AND c.conversation_id = delivery.conversation_id
            AND c.blocked)
"""  # noqa: S608  conditions of a module
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
    until = _until(arrival)
    ids = list(arrival.channel_message_ids)
    said = {"state": arrival.state, "ids": ids, "until": None if until is None else rfc3339(until)}
    conversation = conversation_id(arrival.key)
    await connection.execute(ARRIVED, conversation, arrival.state, ids, until, orjson.dumps(said).decode())


def _until(arrival: Arrival) -> datetime | None:
    """By which our attempts were, for its watermark to mean them.

    It is by the channel's clock. That what was just said is read is told once; that it was delivered, by its
    id as well.
    """
    if arrival.until_ms is None:
        return None
    slack_ms = CLOCK_SKEW_MS if arrival.state == "read" else 0
    return moment(min(arrival.until_ms, UNTIL_MAX_MS) + slack_ms)


async def untold(
    connection: Connection, lanes: Sequence[int], limit: int, statement: str = UNTOLD
) -> list[TimerDue]:
    """Up to `limit` messages that have changed since they were last told, marked as told."""
    rows = await connection.fetch(statement, lanes, limit)
    return [_told(row) for row in sorted(rows, key=lambda row: (row["key"], row["position"]))]


def where(row: Mapping[str, Any]) -> dict[str, Any]:
    """What each receipt says of the conversation that it is about."""
    return {
        "workspace": row["workspace_id"],
        "desk": row["desk_id"],
        "conversation": row["conversation_id"],
        "key": row["key"],
        "page": row["page_id"],
        "channel": channel_of(row["page_id"]),
    }


def _told(row: Mapping[str, Any]) -> TimerDue:
    value = where(row) | {
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
