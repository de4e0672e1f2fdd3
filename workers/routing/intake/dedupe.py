"""Each message of a channel once: whoever stores it first records its id."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from operator import itemgetter
from typing import Any

from schemas.envelope import time_text
from workers.routing.intake.conversation import Conversation
from workers.runtime.handler import Connection

# LATERAL with LIMIT: one descent of the index for each, whatever the planner believes of the table's size.
SEEN = """
SELECT seen.message_id
FROM unnest($1::uuid[], $2::text[]) AS wanted (message_id, workspace_id)
CROSS JOIN LATERAL (
    SELECT message_id FROM message_seen
    WHERE workspace_id = wanted.workspace_id AND message_id = wanted.message_id
    LIMIT 1
) AS seen
"""

# Of those that may have been forgotten since: one walk over each transcript.
STORED = """
SELECT found.message_id
FROM unnest($2::text[], $3::uuid[]) AS wanted (workspace_id, conversation_id)
CROSS JOIN LATERAL (
    SELECT message_id FROM message
    WHERE workspace_id = wanted.workspace_id AND conversation_id = wanted.conversation_id
        AND message_id = ANY ($1::uuid[])
) AS found
"""

TABLE = "message_seen"
RECORD = """
INSERT INTO message_seen (workspace_id, conversation_id, message_id, position, stored_at)
SELECT workspace_id, conversation_id, message_id, position, stored_at
FROM json_to_recordset($1::json) AS seen (
    workspace_id text, conversation_id uuid, message_id uuid, position int, stored_at timestamptz)
"""


def sighting(conversation: Conversation, message: str, at_ms: int) -> dict[str, Any]:
    """The row of `message`, stored for the first time as the last line of `conversation`."""
    return {
        "workspace_id": conversation.workspace,
        "conversation_id": conversation.id,
        "message_id": message,
        "position": conversation.position,
        "stored_at": time_text(at_ms),
    }


def in_order(sightings: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """For RECORD: two lanes can race for one id, as when a channel gives a customer another id. Who comes
    second waits until the first has committed; in this order two batches never wait for each other."""
    return sorted(sightings, key=itemgetter("message_id"))


async def find_seen(connection: Connection, messages: Mapping[str, str]) -> set[str]:
    """Those of `messages` (workspaces by message id) that were stored before."""
    if not messages:
        return set()
    rows = await connection.fetch(SEEN, list(messages), list(messages.values()))
    return {str(message) for (message,) in rows}


async def find_stored(
    connection: Connection, messages: Collection[str], transcripts: Collection[tuple[str, str]]
) -> set[str]:
    """Those of `messages` that these transcripts (workspace and conversation) have, however old."""
    if not messages:
        return set()
    workspaces, conversations = zip(*transcripts, strict=True)
    rows = await connection.fetch(STORED, list(messages), workspaces, conversations)
    return {str(message) for (message,) in rows}
