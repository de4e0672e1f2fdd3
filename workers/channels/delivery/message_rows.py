"""The rows of messages on their way: written by the lane when asked to send, by the courier as it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from workers.channels.delivery.heard import heard_of
from workers.channels.delivery.progress import Standing, Step
from workers.runtime.handler import Connection

# Whoever holds the lane has it stored once; a page that nobody has connected waits for its token.
# What waits without content is carried by a connector: it is due for no courier, and needs no token.
ENQUEUE = """
WITH new AS (
    SELECT * FROM json_to_recordset($1::json) AS row (
        workspace_id text, message_id uuid, desk_id text, lane int, conversation_id uuid, key text,
        page_id text, position int, sender text, content jsonb, parts int, last_customer_at timestamptz,
        state text, reason text, ids text[], changed_at timestamptz)
), pages AS (
    INSERT INTO delivery_page (page_id, workspace_id, paused, paused_at, found_with)
    SELECT DISTINCT ON (page_id) page_id, workspace_id, 'not_connected', now(), message_id
    FROM new WHERE state = 'queued' AND content IS NOT NULL ORDER BY page_id
    ON CONFLICT (page_id) DO NOTHING
)
INSERT INTO delivery (workspace_id, message_id, desk_id, lane, conversation_id, key, page_id, position,
    sender, content, parts, last_customer_at, state, reason, due_at, ids, version, told, changed_at)
SELECT new.workspace_id, message_id, desk_id, lane, conversation_id, key, new.page_id, position, sender,
    content, parts, last_customer_at, state,
    CASE WHEN state <> 'queued' OR content IS NULL THEN reason
        WHEN page.page_id IS NULL THEN 'not_connected' ELSE page.paused END,
    CASE WHEN state = 'queued' AND content IS NOT NULL THEN now() END, ids, 1, false, changed_at
FROM new LEFT JOIN delivery_page page ON page.page_id = new.page_id
ON CONFLICT (workspace_id, message_id) DO NOTHING
"""
WAITING = """
SELECT conversation_id, count(*) AS waiting FROM delivery
WHERE conversation_id = ANY($1::uuid[]) AND open GROUP BY conversation_id
"""
# Only the first open message of a conversation may go. Who looks for pages with something to send asks the
# same as who takes it: couriers would be sent again and again, and come back with nothing.
MAY_GO = """
d.state = 'queued' AND d.due_at <= now() AND NOT EXISTS (
    SELECT FROM delivery before
    WHERE before.conversation_id = d.conversation_id AND before.open AND before.position < d.position)
-- After Postgres was restored, what was sent stands here unsent until its receipts are read again.
AND d.lane NOT IN (SELECT id FROM lane WHERE kind = 'delivery' AND stopped IS NOT NULL)
"""
# Those that another worker holds are its own. The customer may have written since it was asked to send.
CLAIM = f"""
WITH first AS (
    SELECT workspace_id, message_id, conversation_id FROM delivery d
    WHERE page_id = $1 AND {MAY_GO}
    ORDER BY due_at LIMIT $2
    FOR UPDATE SKIP LOCKED
)
UPDATE delivery d SET state = 'sending', attempts = attempts + 1, attempted_at = clock_timestamp()
FROM first LEFT JOIN LATERAL (
    SELECT interacted_at, ad_at, CASE WHEN session > 0 THEN last_at END AS last_at FROM conversation c
    WHERE c.workspace_id = first.workspace_id AND c.conversation_id = first.conversation_id LIMIT 1
) AS now_is ON true
WHERE d.workspace_id = first.workspace_id AND d.message_id = first.message_id
RETURNING d.workspace_id, d.message_id, d.key, d.conversation_id, d.position, d.sender, d.content, d.ids,
    d.parts, d.failures, d.attempts, extract(epoch FROM now() - now_is.ad_at)::float8 AS since_ad_s, extract(
        epoch FROM now() - greatest(d.last_customer_at, now_is.last_at, now_is.interacted_at)
    )::float8 AS silent_s
"""  # noqa: S608  conditions of this module
# The number of the attempt is the fence, and that no echo was faster: who was frozen changes nothing.
GO_ON = f"""
UPDATE delivery SET
    state = CASE WHEN $4 = 'sent' THEN {heard_of("($5::text[])[cardinality($5)]")} ELSE $4 END,
    ids = $5, reason = $6, due_at = now() + $7::interval, failures = $8,
    content = CASE WHEN $4 IN ('sent', 'failed') THEN NULL ELSE content END,
    heard = CASE WHEN $4 IN ('sent', 'failed') THEN '{{}}' ELSE heard END,
    resent = resent AND cardinality($5) = $9,
    lost = CASE WHEN cardinality($5) = $9 THEN lost ELSE 0 END,
    version = version + 1, told = false, changed_at = now()
WHERE workspace_id = $1 AND message_id = $2 AND attempts = $3 AND cardinality(ids) = $9
    AND state IN ('sending', 'unknown', 'queued')
"""  # noqa: S608  an expression of a module
TAKE_BACK = """
UPDATE delivery SET state = 'queued', due_at = now() + $4::interval
WHERE workspace_id = $1 AND message_id = $2 AND attempts = $3 AND state = 'sending'
"""


class Claimed(NamedTuple):
    """A message whose next part is to be given to the channel now, under this attempt's number."""

    workspace: str
    message: UUID
    key: str
    position: int
    sender: str
    content: Mapping[str, Any]
    standing: Standing
    attempt: int
    silent_s: float | None
    """Seconds since the customer last wrote, or did what counts as that; as it is known now."""
    since_ad_s: float | None
    """Seconds since he last came by an advertisement."""


async def enqueue(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store messages that are to be sent, or that cannot be; one that is known already is left as it is."""
    if rows:
        await connection.execute(ENQUEUE, orjson.dumps(rows).decode())


async def waiting(connection: Connection, conversations: Sequence[str]) -> dict[str, int]:
    """How many messages of each conversation are on their way."""
    found = await connection.fetch(WAITING, conversations)
    return {str(conversation): count for conversation, count in found}


async def claim(connection: Connection, page: str, limit: int, page_failures: int) -> list[Claimed]:
    """Take up to `limit` messages of a page that are next in their conversations."""
    rows = await connection.fetch(CLAIM, page, limit)
    return [
        Claimed(
            row["workspace_id"],
            row["message_id"],
            row["key"],
            row["position"],
            row["sender"],
            orjson.loads(row["content"]),
            Standing(row["ids"], row["parts"], row["failures"], page_failures),
            row["attempts"],
            row["silent_s"],
            row["since_ad_s"],
        )
        for row in rows
    ]


async def go_on(connection: Connection, claimed: Claimed, step: Step) -> bool:
    """Store how it stands after the attempt. False: somebody else knew better, and it is not changed."""
    status = await connection.execute(
        GO_ON,
        claimed.workspace,
        claimed.message,
        claimed.attempt,
        step.state,
        list(step.ids),
        step.reason,
        None if step.due_s is None else timedelta(seconds=step.due_s),
        step.failures,
        len(claimed.standing.ids),
    )
    return bool(status == "UPDATE 1")


async def take_back(connection: Connection, claimed: Claimed, due_s: float) -> None:
    """Nothing was given to the channel: it is as it was before the claim, due in so many seconds."""
    await connection.execute(
        TAKE_BACK, claimed.workspace, claimed.message, claimed.attempt, timedelta(seconds=due_s)
    )
