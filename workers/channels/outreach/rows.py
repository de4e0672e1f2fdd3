"""Their rows: written by the lane when asked to send, by the runner as they go on, by what providers tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from schemas.outbound import MeansName
from schemas.receipts import Outreach
from workers.channels.outreach.verdict import UNANSWERED_MAX, Step
from workers.runtime.handler import Connection

FORMER_MAX = 10

# SMS and calls that were asked for within an hour, and could be made.
_LATELY = """(
    SELECT count(*) FROM outreach o
    WHERE o.{0} = new.{0} AND o.means <> 'mail' AND o.written_at > new.written_at - interval '1 hour'
        AND coalesce(o.reason, '') NOT IN ('phone_limit', 'phone_not_set')
) + row_number() OVER (PARTITION BY new.means <> 'mail', new.{0} ORDER BY new.written_at) - 1"""
# Of whoever holds the lane each is stored once; what cannot go, or is too much, has failed.
ENQUEUE = f"""
WITH new AS (
    SELECT * FROM json_to_recordset($1::json) AS row (
        workspace_id text, message_id uuid, desk_id text, lane int, conversation_id uuid, key text,
        page_id text, position int, sender text, ticket int, ticket_id uuid, means text, token text,
        number text, content jsonb, is_set boolean, written_at timestamptz)
), judged AS (
    SELECT new.*, CASE
        WHEN means = 'mail' AND NOT (is_set AND mail.page_id IS NOT NULL) THEN 'mail_not_set'
        WHEN means <> 'mail' AND NOT (is_set AND phone.page_id IS NOT NULL) THEN 'phone_not_set'
        WHEN $2 <= (SELECT count(*) FROM outreach o WHERE o.ticket_id = new.ticket_id AND o.open)
            + row_number() OVER (PARTITION BY new.ticket_id ORDER BY new.position) - 1 THEN 'too_many'
        WHEN means <> 'mail' AND ($3 <= {_LATELY.format("sender")} OR $4 <= {_LATELY.format("page_id")})
            THEN 'phone_limit'
        END AS reason
    FROM new
    LEFT JOIN mail_page mail ON mail.page_id = new.page_id AND mail.workspace_id = new.workspace_id
    LEFT JOIN phone_page phone ON phone.page_id = new.page_id AND phone.workspace_id = new.workspace_id
)
INSERT INTO outreach (workspace_id, message_id, desk_id, lane, conversation_id, key, page_id, position,
    sender, ticket, ticket_id, means, token, number, content, state, reason, due_at, written_at, changed_at)
SELECT workspace_id, message_id, desk_id, lane, conversation_id, key, page_id, position, sender, ticket,
    ticket_id, means, token, number, CASE WHEN reason IS NULL THEN content END,
    CASE WHEN reason IS NULL THEN 'queued' ELSE 'failed' END, reason, now(), written_at, written_at
FROM judged
ON CONFLICT (workspace_id, message_id) DO NOTHING
"""  # noqa: S608  columns of this module
DUE_PAGES = """
SELECT DISTINCT page_id FROM outreach WHERE means = ANY($1::text[]) AND state = 'queued' AND due_at <= now()
"""
# Only the first open one of a ticket and a means may go. Those that another worker holds are its own.
CLAIM = """
WITH first AS (
    SELECT workspace_id, message_id FROM outreach o
    WHERE means = ANY($1::text[]) AND page_id = $2 AND state = 'queued' AND due_at <= now() AND NOT EXISTS (
        SELECT FROM outreach before
        WHERE before.ticket_id = o.ticket_id AND before.means = o.means AND before.open
            AND before.position < o.position)
    ORDER BY due_at LIMIT $3
    FOR UPDATE SKIP LOCKED
)
UPDATE outreach o SET state = 'sending', attempts = attempts + 1, attempted_at = clock_timestamp()
FROM first WHERE o.workspace_id = first.workspace_id AND o.message_id = first.message_id
RETURNING o.workspace_id, o.message_id, o.conversation_id, o.page_id, o.ticket, o.means, o.token, o.content,
    o.attempts, o.failures, o.unanswered, o.written_at,
    extract(epoch FROM now() - o.written_at)::float8 AS age_s, ARRAY(
        SELECT before.token || '.' || replace(before.message_id::text, '-', '') FROM outreach before
        WHERE before.ticket_id = o.ticket_id AND before.means = 'mail' AND before.state = 'sent'
            AND before.position < o.position
        ORDER BY before.position DESC LIMIT $4) AS former
"""
# The number of the attempt is the fence: who was frozen while another tried changes nothing.
GO_ON = """
UPDATE outreach SET state = $4, reason = $5, due_at = now() + $6::interval, failures = $7, unanswered = $8,
    provider_id = $9, content = CASE WHEN $4 = 'queued' THEN content END, version = version + 1, told = false,
    changed_at = now()
WHERE workspace_id = $1 AND message_id = $2 AND attempts = $3 AND open
"""
TAKE_BACK = """
UPDATE outreach SET state = 'queued', due_at = now()
WHERE workspace_id = $1 AND message_id = $2 AND attempts = $3 AND state = 'sending'
"""
# Whether it was taken is unknown: it is given once more, under the same id, unless that was so too often.
FIND_LOST = """
UPDATE outreach SET unanswered = unanswered + 1, reason = 'no_answer',
    state = CASE WHEN unanswered + 1 < $3 THEN 'queued' ELSE 'failed' END,
    due_at = CASE WHEN unanswered + 1 < $3 THEN now() END,
    content = CASE WHEN unanswered + 1 < $3 THEN content END,
    version = version + 1, told = false, changed_at = now()
WHERE means = ANY($2::text[]) AND state = 'sending' AND attempted_at < now() - $1::interval
"""
TRY_NOW = """
UPDATE outreach SET due_at = now() WHERE means = ANY($2::text[]) AND page_id = $1 AND state = 'queued'
"""
UNTOLD = """
WITH news AS (
    SELECT workspace_id, message_id FROM outreach
    WHERE lane = ANY($1::int[]) AND NOT told AND state <> 'sending'
    ORDER BY changed_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE outreach o SET told = true
FROM news WHERE o.workspace_id = news.workspace_id AND o.message_id = news.message_id
RETURNING o.workspace_id, o.message_id, o.desk_id, o.lane, o.conversation_id, o.key, o.page_id, o.position,
    o.sender, o.state, o.reason, 1 AS parts, '{}'::text[] AS ids, o.version, o.changed_at, o.duration_s
"""
# What is told late changes nothing; of what we have given up by ourselves others know more.
TELL = """
UPDATE outreach SET state = $4, reason = $5, due_at = NULL, content = NULL,
    duration_s = coalesce($6, duration_s), provider_id = coalesce($7, provider_id, 'told'),
    version = version + 1, told = false, changed_at = now()
WHERE workspace_id = $1 AND message_id = $2 AND conversation_id = $3
    AND (array_position(ARRAY['queued', 'sending', 'sent', 'ringing', 'answered'], state)
            < coalesce(array_position(ARRAY['queued', 'sending', 'sent', 'ringing', 'answered'], $4::text), 9)
        OR (state = 'failed' AND provider_id IS NULL))
"""


class Claimed(NamedTuple):
    """One that is to be given away now, under this attempt's number."""

    workspace: str
    message: UUID
    conversation: UUID
    page: str
    ticket: int
    means: MeansName
    token: str | None
    """Of a mail: where a reply leads."""
    content: Mapping[str, Any]
    """What its record on outbound says beside: `to`, and `subject`, `text`, `agent_phone` as it has them; of
    a mail's attachments the ids of their `files`."""
    attempt: int
    failures: int
    unanswered: int
    """Attempts before it whose end nobody knows."""
    written_at: datetime
    age_s: float
    former: Sequence[str]
    """Of mails: what stands in the Message-IDs of those before it, before the @; the newest first."""


async def enqueue(
    connection: Connection,
    rows: Sequence[Mapping[str, Any]],
    waiting_max: int,
    agent_hourly_max: int,
    page_hourly_max: int,
) -> None:
    """Store what is to be sent; one that is known already stays as it is.

    Args:
        rows: `is_set`: whether this worker's settings have all that its means needs.
        waiting_max: so many of a ticket may wait.
        agent_hourly_max: so many SMS and calls an agent may ask for in an hour.
        page_hourly_max: the same of all agents, for one page.
    """
    if rows:
        limits = waiting_max, agent_hourly_max, page_hourly_max
        await connection.execute(ENQUEUE, orjson.dumps(rows).decode(), *limits)


async def due_pages(connection: Connection, means: Sequence[MeansName]) -> list[str]:
    """Pages that have something to send now."""
    return [row["page_id"] for row in await connection.fetch(DUE_PAGES, means)]


async def claim(connection: Connection, means: Sequence[MeansName], page: str, limit: int) -> list[Claimed]:
    """Take up to `limit` of a page that are next in their tickets."""
    rows = await connection.fetch(CLAIM, means, page, limit, FORMER_MAX)
    return [
        Claimed(
            row["workspace_id"],
            row["message_id"],
            row["conversation_id"],
            row["page_id"],
            row["ticket"],
            row["means"],
            row["token"],
            orjson.loads(row["content"]),
            row["attempts"],
            row["failures"],
            row["unanswered"],
            row["written_at"],
            row["age_s"],
            row["former"],
        )
        for row in rows
    ]


async def go_on(connection: Connection, claimed: Claimed, step: Step) -> bool:
    """Store how it stands after the attempt. False: another was begun meanwhile, or more is known."""
    due = None if step.due_s is None else timedelta(seconds=step.due_s)
    name = claimed.workspace, claimed.message, claimed.attempt
    counted = step.failures, step.unanswered
    status = await connection.execute(GO_ON, *name, step.state, step.reason, due, *counted, step.provider_id)
    return bool(status == "UPDATE 1")


async def take_back(connection: Connection, claimed: Claimed) -> None:
    """Nothing was given away: it is as it was before the claim."""
    await connection.execute(TAKE_BACK, claimed.workspace, claimed.message, claimed.attempt)


async def find_lost(connection: Connection, means: Sequence[MeansName], after_s: float) -> int:
    """Have attempts that nobody will end made again, as often as may be."""
    status = await connection.execute(FIND_LOST, timedelta(seconds=after_s), means, UNANSWERED_MAX)
    return int(status.rsplit(" ", 1)[-1])


async def try_now(connection: Connection, means: Sequence[MeansName], page: str) -> None:
    """What waited because of a page's former settings need not wait any longer."""
    await connection.execute(TRY_NOW, page, means)


async def tell(connection: Connection, said: Outreach, conversation: UUID) -> None:
    """Store how one is said to fare, unless more is known already."""
    await connection.execute(
        TELL,
        said.workspace,
        said.message,
        conversation,
        said.state,
        said.reason,
        said.duration_s,
        said.provider_id,
    )
