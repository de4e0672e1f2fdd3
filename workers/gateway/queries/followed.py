"""My users: the customers whom I follow, the last interaction first."""

from __future__ import annotations

from asyncpg import Connection

from workers.gateway.queries import cursor
from workers.gateway.queries.cursor import Cursor
from workers.gateway.queries.lists import Page
from workers.gateway.queries.rows import read_rows
from workers.gateway.queries.scope import Scope

# Who follows and was not told of it yet, or was let go meanwhile, is as the desk says.
FOLLOWED = """
SELECT i.conversation_id, i.updated_at FROM inbox i
JOIN desk_conversation d ON d.workspace_id = i.workspace_id AND d.conversation_id = i.conversation_id
WHERE i.workspace_id = $1 AND i.agent_id = $2 AND i.follows AND $2 = ANY (d.followers)
    AND i.last_minute <= date_trunc('minute', $3::timestamptz AT TIME ZONE 'UTC')
    AND (i.updated_at, i.conversation_id) < ($3::timestamptz, $4::uuid)
    AND (NOT $5 OR i.unread > 0)
ORDER BY i.last_minute DESC, i.updated_at DESC, i.conversation_id DESC LIMIT $6
"""


async def read_followed(
    connection: Connection, scope: Scope, after: Cursor, limit: int, *, unread: bool
) -> Page:
    """One page of those whom he follows; with `unread`, of those from whom he has unread messages."""
    found = await connection.fetch(
        FOLLOWED, scope.workspace, scope.agent, after.at, after.id, unread, limit + 1
    )
    rows = await read_rows(connection, scope, [one["conversation_id"] for one in found[:limit]])
    if len(found) <= limit:
        return Page(conversations=tuple(rows), next=None)
    last = found[limit - 1]
    ended = cursor.write(Cursor(last["updated_at"], last["conversation_id"]))
    return Page(conversations=tuple(rows), next=ended)
