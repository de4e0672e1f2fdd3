"""Rows of `held_reply`: few, and for as long as the desk takes to answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson

from schemas.actions import Say, StartChat
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.reply import Reply
from workers.runtime.handler import Connection

LOAD = """
SELECT held.*
FROM unnest($1::text[], $2::uuid[]) AS wanted (workspace_id, conversation_id)
CROSS JOIN LATERAL (
    SELECT conversation_id, message_id, number, claim, action, quoted, starts FROM held_reply
    WHERE workspace_id = wanted.workspace_id AND conversation_id = wanted.conversation_id
    ORDER BY number
    LIMIT 1000000
) AS held
"""
HOLD = """
INSERT INTO held_reply (workspace_id, conversation_id, message_id, number, claim, action, quoted, starts)
SELECT workspace_id, conversation_id, message_id, number, claim, action, quoted, starts
FROM json_to_recordset($1::json) AS held (
    workspace_id text, conversation_id uuid, message_id uuid, number int, claim text, action jsonb,
    quoted text, starts boolean)
"""
# The last conditions always hold. They let the planner expect few rows, so that it uses the index even when
# the plan was made while the table was empty.
SETTLE = """
DELETE FROM held_reply AS held
USING unnest($1::text[], $2::uuid[], $3::uuid[]) AS settled (workspace_id, conversation_id, message_id)
WHERE held.workspace_id = settled.workspace_id AND held.conversation_id = settled.conversation_id
    AND held.message_id = settled.message_id AND settled.workspace_id > ''
    AND settled.message_id >= '00000000-0000-0000-0000-000000000000'
"""

Held = tuple[Conversation, Reply]


async def load(connection: Connection, conversations: Sequence[Conversation]) -> None:
    """Give each of `conversations` the answers that wait in it."""
    if not conversations:
        return
    by_id = {conversation.id: conversation for conversation in conversations}
    workspaces = [conversation.workspace for conversation in conversations]
    for row in await connection.fetch(LOAD, workspaces, list(by_id)):
        reply = Reply(
            str(row["message_id"]),
            row["number"],
            row["claim"],
            (StartChat if row["starts"] else Say).model_validate_json(row["action"]),
            row["quoted"],
        )
        by_id[str(row["conversation_id"])].replies.append(reply)


async def write(connection: Connection, held: Iterable[Held], settled: Iterable[Held]) -> None:
    """Write those that wait from here on, then remove those that do not any more."""
    rows = [
        {
            "workspace_id": conversation.workspace,
            "conversation_id": conversation.id,
            "message_id": reply.message,
            "number": reply.number,
            "claim": reply.claim,
            "action": reply.action.model_dump(mode="json"),
            "quoted": reply.quoted,
            "starts": isinstance(reply.action, StartChat),
        }
        for conversation, reply in held
    ]
    if rows:
        await connection.execute(HOLD, orjson.dumps(rows).decode())
    gone = [(conversation.workspace, conversation.id, reply.message) for conversation, reply in settled]
    if gone:
        await connection.execute(SETTLE, *map(list, zip(*gone, strict=True)))
