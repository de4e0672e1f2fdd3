"""The rows of mails on their way: written by the lane when asked to send, by the mailer as they go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from workers.channels.mail.verdict import Step
from workers.runtime.handler import Connection

FORMER_MAX = 10

# Of whoever holds the lane each is stored once; without an address for replies, or a server, it has failed.
ENQUEUE = """
WITH new AS (
    SELECT * FROM json_to_recordset($1::json) AS row (
        workspace_id text, message_id uuid, desk_id text, lane int, conversation_id uuid, key text,
        page_id text, position int, sender text, ticket int, ticket_id uuid, token text, content jsonb,
        written_at timestamptz)
), judged AS (
    SELECT new.*, CASE WHEN token IS NULL OR page.page_id IS NULL THEN 'mail_not_set'
        WHEN $2 <= (SELECT count(*) FROM mail m WHERE m.ticket_id = new.ticket_id AND m.open)
            + row_number() OVER (PARTITION BY new.ticket_id ORDER BY new.position) - 1 THEN 'too_many'
        END AS reason
    FROM new LEFT JOIN mail_page page ON page.page_id = new.page_id AND page.workspace_id = new.workspace_id
)
INSERT INTO mail (workspace_id, message_id, desk_id, lane, conversation_id, key, page_id, position, sender,
    ticket, ticket_id, token, content, state, reason, due_at, written_at, changed_at)
SELECT workspace_id, message_id, desk_id, lane, conversation_id, key, page_id, position, sender, ticket,
    ticket_id, token, CASE WHEN reason IS NULL THEN content END,
    CASE WHEN reason IS NULL THEN 'queued' ELSE 'failed' END, reason, now(), written_at, written_at
FROM judged
ON CONFLICT (workspace_id, message_id) DO NOTHING
"""
DUE_PAGES = "SELECT DISTINCT page_id FROM mail WHERE state = 'queued' AND due_at <= now()"
# Only the first open mail of a ticket may go. Those that another worker holds are its own.
CLAIM = """
WITH first AS (
    SELECT workspace_id, message_id FROM mail m
    WHERE page_id = $1 AND state = 'queued' AND due_at <= now() AND NOT EXISTS (
        SELECT FROM mail before
        WHERE before.ticket_id = m.ticket_id AND before.open AND before.position < m.position)
    ORDER BY due_at LIMIT $2
    FOR UPDATE SKIP LOCKED
)
UPDATE mail m SET state = 'sending', attempts = attempts + 1, attempted_at = clock_timestamp()
FROM first WHERE m.workspace_id = first.workspace_id AND m.message_id = first.message_id
RETURNING m.workspace_id, m.message_id, m.page_id, m.ticket, m.token, m.content, m.attempts, m.failures,
    m.written_at, ARRAY(
        SELECT before.token || '.' || replace(before.message_id::text, '-', '') FROM mail before
        WHERE before.ticket_id = m.ticket_id AND before.state = 'sent' AND before.position < m.position
        ORDER BY before.position DESC LIMIT $3) AS former
"""
# The number of the attempt is the fence: who was frozen while another tried changes nothing.
GO_ON = """
UPDATE mail SET state = $4, reason = $5, due_at = now() + $6::interval, failures = $7,
    content = CASE WHEN $4 = 'queued' THEN content END, version = version + 1, told = false,
    changed_at = now()
WHERE workspace_id = $1 AND message_id = $2 AND attempts = $3 AND open
"""
TAKE_BACK = """
UPDATE mail SET state = 'queued', due_at = now()
WHERE workspace_id = $1 AND message_id = $2 AND attempts = $3 AND state = 'sending'
"""
# Whether the server has it is unknown: it is given once more, under the same Message-ID.
FIND_LOST = """
UPDATE mail SET state = 'queued', reason = 'no_answer', due_at = now(), version = version + 1, told = false,
    changed_at = now()
WHERE state = 'sending' AND attempted_at < now() - $1::interval
"""
UNTOLD = """
WITH news AS (
    SELECT workspace_id, message_id FROM mail
    WHERE lane = ANY($1::int[]) AND NOT told AND state <> 'sending'
    ORDER BY changed_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE mail m SET told = true
FROM news WHERE m.workspace_id = news.workspace_id AND m.message_id = news.message_id
RETURNING m.workspace_id, m.message_id, m.desk_id, m.lane, m.conversation_id, m.key, m.page_id, m.position,
    m.sender, m.state, m.reason, 1 AS parts, '{}'::text[] AS ids, m.version, m.changed_at
"""
PLACE_OF = "SELECT workspace_id, key, ticket FROM mail WHERE ticket_id = $1 LIMIT 1"


class Claimed(NamedTuple):
    """A mail that is to be given to its server now, under this attempt's number."""

    workspace: str
    message: UUID
    page: str
    ticket: int
    token: str
    content: Mapping[str, str]
    """`to`, `subject`, `text`."""
    attempt: int
    failures: int
    written_at: datetime
    former: Sequence[str]
    """What stands in the Message-IDs of those before it, before the @; the newest first."""


class Place(NamedTuple):
    """Which ticket of whom."""

    workspace: str
    key: str
    ticket: int


async def enqueue(connection: Connection, rows: Sequence[Mapping[str, Any]], waiting_max: int) -> None:
    """Store mails that are to be sent, at most so many a ticket; one that is known already stays as it is."""
    if rows:
        await connection.execute(ENQUEUE, orjson.dumps(rows).decode(), waiting_max)


async def due_pages(connection: Connection) -> list[str]:
    """Pages that have something to send now."""
    return [row["page_id"] for row in await connection.fetch(DUE_PAGES)]


async def claim(connection: Connection, page: str, limit: int) -> list[Claimed]:
    """Take up to `limit` mails of a page that are next in their tickets."""
    return [
        Claimed(
            row["workspace_id"],
            row["message_id"],
            row["page_id"],
            row["ticket"],
            row["token"],
            orjson.loads(row["content"]),
            row["attempts"],
            row["failures"],
            row["written_at"],
            row["former"],
        )
        for row in await connection.fetch(CLAIM, page, limit, FORMER_MAX)
    ]


async def go_on(connection: Connection, claimed: Claimed, step: Step) -> bool:
    """Store how it stands after the attempt. False: another attempt was begun meanwhile."""
    due = None if step.due_s is None else timedelta(seconds=step.due_s)
    name = claimed.workspace, claimed.message, claimed.attempt
    status = await connection.execute(GO_ON, *name, step.state, step.reason, due, step.failures)
    return bool(status == "UPDATE 1")


async def take_back(connection: Connection, claimed: Claimed) -> None:
    """Nothing was given to the server: it is as it was before the claim."""
    await connection.execute(TAKE_BACK, claimed.workspace, claimed.message, claimed.attempt)


async def find_lost(connection: Connection, after_s: float) -> int:
    """Have attempts that nobody will end made again."""
    status = await connection.execute(FIND_LOST, timedelta(seconds=after_s))
    return int(status.rsplit(" ", 1)[-1])


async def place_of(connection: Connection, ticket: UUID) -> Place | None:
    """The ticket of a reply; none: nothing was ever sent about such a one."""
    row = await connection.fetchrow(PLACE_OF, ticket)
    return None if row is None else Place(*row)
