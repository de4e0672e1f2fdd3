"""Each message of a channel once: the first delivery claims its id, every other finds it taken."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from workers.runtime.handler import Connection

# Two lanes can race for one id, as when a channel gives a customer another id: whoever comes second waits
# here until the first has committed. The ids are sorted so that two batches never wait for each other.
# Only those taken are sent back, since they are few.
_CLAIM = """
WITH claimed AS (
    INSERT INTO message_seen (workspace_id, message_id, conversation_id, stored_at)
    SELECT workspace_id, message_id, conversation_id, $4
    FROM unnest($1::text[], $2::uuid[], $3::uuid[]) AS given (workspace_id, message_id, conversation_id)
    ON CONFLICT DO NOTHING
    RETURNING message_id
)
SELECT message_id FROM unnest($2::uuid[]) AS given (message_id)
WHERE message_id NOT IN (SELECT message_id FROM claimed)
"""


class Claim(NamedTuple):
    """That this message is new, for its conversation."""

    message: str
    workspace: str
    conversation: str


async def claim(connection: Connection, claims: list[Claim], at: datetime) -> set[str]:
    """Claim the ids of these messages, no two the same; returns those that others had before."""
    if not claims:
        return set()
    claims.sort()
    messages, workspaces, conversations = zip(*claims, strict=True)
    taken = await connection.fetch(_CLAIM, workspaces, messages, conversations, at)
    return {str(message) for (message,) in taken}
