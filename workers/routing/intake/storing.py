"""Writing what a batch has gathered: one statement a table, however many records."""

from __future__ import annotations

from typing import Any

import asyncpg
import orjson

from schemas.envelope import time_text
from workers.routing.intake import (
    conversation_rows,
    customer_rows,
    dedupe,
    erasing,
    files,
    marks,
    outcome_rows,
    pictures,
    reply_rows,
    ticket_rows,
    transcript,
)
from workers.routing.intake.conversation_rows import LostConversationError
from workers.routing.intake.work import Work
from workers.runtime.handler import Connection

OPEN_SESSIONS = """
INSERT INTO session (workspace_id, conversation_id, session, opened_at, first_position)
SELECT workspace_id, conversation_id, session, opened_at, first_position
FROM json_to_recordset($1::json) AS opened (
    workspace_id text, conversation_id uuid, session int, opened_at timestamptz, first_position int)
"""

# LATERAL with LIMIT and ON CONFLICT: each row is found by its index, whatever the planner believes.
END_SESSIONS = """
INSERT INTO session AS stored (
    workspace_id, conversation_id, session, opened_at, first_position, ended_at, ended_by)
SELECT found.workspace_id, found.conversation_id, found.session, found.opened_at, found.first_position,
    ended.ended_at, ended.ended_by
FROM json_to_recordset($1::json) AS ended (
    workspace_id text, conversation_id uuid, session int, ended_at timestamptz, ended_by text)
CROSS JOIN LATERAL (
    SELECT workspace_id, conversation_id, session, opened_at, first_position
    FROM session
    WHERE workspace_id = ended.workspace_id AND conversation_id = ended.conversation_id
        AND session = ended.session
    LIMIT 1
) AS found
ON CONFLICT (workspace_id, conversation_id, session) DO UPDATE SET
    ended_at = excluded.ended_at, ended_by = excluded.ended_by
"""

STORE_CUSTOMERS = """
INSERT INTO customer AS stored (workspace_id, customer_id, page_id, user_id, channel_name, created_at)
SELECT workspace_id, customer_id, page_id, user_id, channel_name, created_at
FROM json_to_recordset($1::json) AS told (
    workspace_id text, customer_id uuid, page_id text, user_id text, channel_name text,
    created_at timestamptz)
ON CONFLICT (workspace_id, customer_id) DO UPDATE SET channel_name = excluded.channel_name
"""


def _as_one(*statements: str) -> str:
    """Statements that each write a JSON array, as one; it counts the rows that the first returns."""
    parts = (
        f"part_{number} AS ({statement.replace('$1', f'${number}')})"
        for number, statement in enumerate(statements, 1)
    )
    return f"WITH {', '.join(parts)} SELECT count(*) FROM part_1"  # noqa: S608  statements of this package


# Nearly every batch has a new customer, and writes all of these: a round trip costs more than a part that has
# nothing to write.
STORE = _as_one(
    conversation_rows.UPDATE,
    conversation_rows.INSERT,
    STORE_CUSTOMERS,
    ticket_rows.STORE,
    OPEN_SESSIONS,
    dedupe.RECORD,
    transcript.INSERT,
)


async def write(connection: Connection, work: Work) -> None:
    """Write everything that `work` has gathered.

    Raises LostConversationError when a conversation that was there is gone, and asyncpg.SerializationError
    when another lane was first to store a message: tried again, the batch will find it seen.
    """
    await _write_conversations(connection, work)
    await outcome_rows.store(connection, work.outcomes.new)
    await customer_rows.store(connection, work.known_customers.values())
    await marks.store(connection, work.marks.items())
    await reply_rows.write(connection, work.held, work.settled)
    await ticket_rows.add_lines(connection, work.ticket_lines)
    await _end_sessions(connection, work)
    await files.store(connection, work.files)
    await pictures.store(connection, work.pictures.values())
    await erasing.remember(connection, work)


async def _write_conversations(connection: Connection, work: Work) -> None:
    """Conversations, what begins with them (customers, tickets, sessions), and their new lines."""
    new, changed = conversation_rows.rows(work.changed.values())
    seen = dedupe.in_order(work.sightings)
    begun = _customers(work), ticket_rows.rows(work.tickets.values()), _openings(work)
    parts = (changed, new, *begun, seen, work.lines)
    if not any(parts):
        return
    try:
        found = await connection.fetchval(STORE, *(orjson.dumps(rows).decode() for rows in parts))
    except asyncpg.UniqueViolationError as error:
        if error.table_name != dedupe.TABLE:
            raise
        raise asyncpg.SerializationError("another lane has stored one of these messages") from error
    if found != len(changed):
        raise LostConversationError(f"{found} instead of {len(changed)} conversations")


def _customers(work: Work) -> list[dict[str, Any]]:
    return [
        {
            "workspace_id": conversation.workspace,
            "customer_id": conversation.id,
            "page_id": conversation.page,
            "user_id": conversation.user,
            "channel_name": conversation.customer_name,
            "created_at": time_text(at_ms),
        }
        for conversation, at_ms in work.customers.values()
    ]


def _openings(work: Work) -> list[dict[str, Any]]:
    return [
        {
            "workspace_id": opening.conversation.workspace,
            "conversation_id": opening.conversation.id,
            "session": opening.session,
            "opened_at": time_text(opening.opened_at_ms),
            "first_position": opening.first_position,
        }
        for opening in work.openings
    ]


async def _end_sessions(connection: Connection, work: Work) -> None:
    """Also those that began in this batch."""
    ended = [
        {
            "workspace_id": ending.conversation.workspace,
            "conversation_id": ending.conversation.id,
            "session": ending.session,
            "ended_at": time_text(ending.ended_at_ms),
            "ended_by": ending.ended_by,
        }
        for ending in work.endings
    ]
    if ended:
        await connection.execute(END_SESSIONS, orjson.dumps(ended).decode())
