"""My users: the customers whom I follow, the last interaction first."""

from __future__ import annotations

from asyncpg import Connection

from workers.gateway.queries import cursor
from workers.gateway.queries.cursor import Cursor
from workers.gateway.queries.lists import Page
from workers.gateway.queries.rows import read_rows
from workers.gateway.queries.scope import Scope

# Who follows and was not told of it yet, or was let go meanwhile, is as the desk says; asked of each row that
# was found, since planners believe that few follow and would read all of his rows at first.
FOLLOWED = """
SELECT i.conversation_id, i.updated_at, (
    SELECT $2 = ANY (d.followers) FROM desk_conversation d
    WHERE d.workspace_id = i.workspace_id AND d.conversation_id = i.conversation_id
) AS follows
FROM inbox i
WHERE i.workspace_id = $1 AND i.agent_id = $2 AND i.follows AND {unread}
    AND i.last_minute <= date_trunc('minute', $3::timestamptz AT TIME ZONE 'UTC')
    AND (i.updated_at, i.conversation_id) < ($3::timestamptz, $4::uuid)
ORDER BY i.last_minute DESC, i.updated_at DESC, i.conversation_id DESC LIMIT $5
"""


async def read_followed(
    connection: Connection, scope: Scope, after: Cursor, limit: int, *, unread: bool
) -> Page:
    """One page of those whom he follows; with `unread`, of those from whom he has unread messages."""
    statement = FOLLOWED.format(unread="i.is_unread" if unread else "true")
    found = await connection.fetch(statement, scope.workspace, scope.agent, after.at, after.id, limit + 1)
    ids = [one["conversation_id"] for one in found[:limit] if one["follows"]]
    rows = await read_rows(connection, scope, ids)
    if len(found) <= limit:
        return Page(conversations=tuple(rows), next=None)
    last = found[limit - 1]
    ended = cursor.write(Cursor(last["updated_at"], last["conversation_id"]))
    return Page(conversations=tuple(rows), next=ended)
