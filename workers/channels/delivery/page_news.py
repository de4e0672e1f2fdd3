"""Pages that are paused, or go on: told on receipts, once each, for the notifier to tell admins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from schemas.base import rfc3339
from schemas.envelope import Kind
from schemas.ids import EVENTS, uuid5
from workers.channels.delivery.news import where
from workers.runtime.batch import TimerDue
from workers.runtime.handler import Connection

PAGE_STANDS = Kind("receipts", "page_stands")

# In the lane of the message with which it was found. What was mended before it was told is told nobody.
UNTOLD = """
WITH news AS (
    SELECT page.page_id, d.workspace_id, d.desk_id, d.lane, d.conversation_id, d.key
    FROM delivery_page page
    JOIN delivery d ON d.workspace_id = page.workspace_id AND d.message_id = page.found_with
    WHERE page.paused IS DISTINCT FROM page.told_paused AND d.lane = ANY($1::int[])
    LIMIT $2 FOR UPDATE OF page SKIP LOCKED
)
UPDATE delivery_page page SET told_paused = paused
FROM news WHERE page.page_id = news.page_id
RETURNING news.*, page.paused, CASE WHEN page.paused IS NULL THEN now() ELSE page.paused_at END AS at
"""


async def untold(connection: Connection, lanes: Sequence[int], limit: int) -> list[TimerDue]:
    """Up to `limit` pages that stand otherwise than was told last, marked as told."""
    rows = await connection.fetch(UNTOLD, lanes, limit)
    return [_told(row) for row in sorted(rows, key=lambda row: str(row["page_id"]))]


def _told(row: Mapping[str, Any]) -> TimerDue:
    at = rfc3339(row["at"])
    value = where(row) | {"paused": row["paused"], "at": at}
    return TimerDue(
        lane=row["lane"],
        topic=PAGE_STANDS.topic,
        id=uuid5(EVENTS, f"page/{row['page_id']}/{row['paused']}/{at}"),
        key=row["key"].encode(),
        kind=PAGE_STANDS,
        value=orjson.dumps(value, default=str),
    )
