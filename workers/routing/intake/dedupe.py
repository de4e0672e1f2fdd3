"""Each message of a channel once: whoever stores it first records its id."""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from typing import NamedTuple

import asyncpg

from workers.routing.intake import copy_format
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

_COLUMNS = ("workspace_id", "conversation_id", "message_id", "position", "stored_at")
_COUNT = len(_COLUMNS).to_bytes(2, "big")
_FIXED = struct.Struct("!i16s ii iq")  # message_id, position, stored_at: each its length and its value


class Sighting(NamedTuple):
    """A message that is stored for the first time; in the order of its id."""

    message: str
    row: bytes


def sighting(conversation: Conversation, message: str, at_ms: int) -> Sighting:
    """That `message` is the last line of `conversation`."""
    fixed = _FIXED.pack(
        16,
        copy_format.uuid_bytes(message),
        4,
        conversation.position,
        8,
        copy_format.microseconds(at_ms),
    )
    return Sighting(message, b"".join((_COUNT, conversation.id_fields, fixed)))


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


async def record(connection: Connection, sightings: list[Sighting]) -> None:
    """Record ids that were not seen before.

    Two lanes can race for one id, as when a channel gives a customer another id. Who comes second waits here
    until the first has committed; the ids are sorted so that two batches never wait for each other.

    Raises asyncpg.SerializationError when another was first: tried again, the batch will find it seen.
    """
    if not sightings:
        return
    sightings.sort()
    try:
        await copy_format.copy_rows(connection, "message_seen", _COLUMNS, [row for _, row in sightings])
    except asyncpg.UniqueViolationError as error:
        raise asyncpg.SerializationError("another lane has stored one of these messages") from error
