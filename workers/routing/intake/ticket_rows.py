"""Rows of `ticket`: a conversation's last one is read with it, others when they are asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from schemas.envelope import time_text
from schemas.ids import ticket_id_text
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.ticket import Ticket
from workers.runtime.handler import Connection

COLUMNS = (
    "number, session, first_position, status, subject, fields, agent_id, created_at, changed_at, changed_by"
)
# LATERAL with LIMIT: one descent of the index for each, whatever the planner believes of the table's size.
LOAD = f"""
SELECT wanted.conversation_id, found.*
FROM unnest($1::text[], $2::uuid[], $3::int[]) AS wanted (workspace_id, conversation_id, number)
CROSS JOIN LATERAL (
    SELECT {COLUMNS} FROM ticket
    WHERE workspace_id = wanted.workspace_id AND conversation_id = wanted.conversation_id
        AND number = wanted.number
    LIMIT 1
) AS found
"""  # noqa: S608  own columns
LOAD_LAST = f"""
SELECT wanted.conversation_id, found.*
FROM unnest($1::text[], $2::uuid[]) AS wanted (workspace_id, conversation_id)
CROSS JOIN LATERAL (
    SELECT {COLUMNS} FROM ticket
    WHERE workspace_id = wanted.workspace_id AND conversation_id = wanted.conversation_id
    ORDER BY number DESC
    LIMIT 1
) AS found
"""  # noqa: S608  own columns
STORE = """
INSERT INTO ticket AS stored (
    workspace_id, conversation_id, number, ticket_id, page_id, session, first_position, status, subject,
    fields, agent_id, created_at, changed_at, changed_by)
SELECT workspace_id, conversation_id, number, ticket_id, page_id, session, first_position, status, subject,
    fields, agent_id, created_at, changed_at, changed_by
FROM json_to_recordset($1::json) AS kept (
    workspace_id text, conversation_id uuid, number int, ticket_id uuid, page_id text, session int,
    first_position int, status text, subject text, fields jsonb, agent_id text, created_at timestamptz,
    changed_at timestamptz, changed_by text)
ON CONFLICT (workspace_id, conversation_id, number) DO UPDATE SET
    status = excluded.status, subject = excluded.subject, fields = excluded.fields,
    agent_id = excluded.agent_id, changed_at = excluded.changed_at, changed_by = excluded.changed_by
"""

ADD_LINES = """
INSERT INTO ticket_line (workspace_id, conversation_id, ticket, position)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::int[])
"""

Name = tuple[str, int]
"""Of a ticket: the conversation's id, and its number there."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


async def load(connection: Connection, wanted: Collection[tuple[str, str, int]]) -> dict[Name, Ticket]:
    """Those of `wanted` (workspace, conversation's id, number) that are there."""
    if not wanted:
        return {}
    rows = await connection.fetch(LOAD, *map(list, zip(*wanted, strict=True)))
    return {(str(row["conversation_id"]), row["number"]): _from_row(row) for row in rows}


async def load_last(connection: Connection, conversations: Iterable[Conversation]) -> None:
    """Give each of `conversations` its last ticket, if it has one."""
    by_id = {conversation.id: conversation for conversation in conversations}
    if not by_id:
        return
    workspaces = [conversation.workspace for conversation in by_id.values()]
    for row in await connection.fetch(LOAD_LAST, workspaces, list(by_id)):
        by_id[str(row["conversation_id"])].ticket = _from_row(row)


def rows(tickets: Iterable[tuple[Conversation, Ticket]]) -> list[dict[str, Any]]:
    """New ones, and how others stand now, for STORE."""
    return [_row(conversation, ticket) for conversation, ticket in tickets]


async def add_lines(connection: Connection, lines: Sequence[tuple[Conversation, int, int]]) -> None:
    """Write which lines of transcripts (by position) are of which tickets (by number)."""
    if lines:
        rows = [(conversation.workspace, conversation.id, *line) for conversation, *line in lines]
        await connection.execute(ADD_LINES, *map(list, zip(*rows, strict=True)))


def _row(conversation: Conversation, ticket: Ticket) -> dict[str, Any]:
    return {
        "workspace_id": conversation.workspace,
        "conversation_id": conversation.id,
        "number": ticket.number,
        "ticket_id": ticket_id_text(conversation.id, ticket.number),
        "page_id": conversation.page,
        "session": ticket.session,
        "first_position": ticket.first_position,
        "status": ticket.status,
        "subject": ticket.subject,
        "fields": ticket.fields,
        "agent_id": ticket.agent,
        "created_at": time_text(ticket.created_at_ms),
        "changed_at": time_text(ticket.changed_at_ms),
        "changed_by": ticket.changed_by,
    }


def _from_row(row: Mapping[str, Any]) -> Ticket:
    return Ticket(
        number=row["number"],
        session=row["session"],
        first_position=row["first_position"],
        created_at_ms=(row["created_at"] - _EPOCH) // _MILLISECOND,
        changed_at_ms=(row["changed_at"] - _EPOCH) // _MILLISECOND,
        status=row["status"],
        subject=row["subject"],
        fields=orjson.loads(row["fields"]),
        agent=row["agent_id"],
        changed_by=row["changed_by"],
    )
