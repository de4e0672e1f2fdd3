"""Routes that were lost with the desks' log, made once more from what the tables know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.commands import Route
from schemas.ids import channel_of
from workers.runtime.handler import Connection

FOUND_MAX = 500
TIMEOUT_S = 600.0
"""No index leads to the few among all: what is asked once after a disaster may take its time."""
_BEFORE_ALL = "", UUID(int=0)
# The desk does not know the session, or knows it and seeks nobody: otherwise it has answered.
UNANSWERED = """
SELECT c.workspace_id, c.desk_id, c.conversation_id, c.key, c.page_id, c.position, c.session, known.tags,
    coalesce(d.session, 0) < c.session AS opens_session,
    c.session = 1 AND c.answered_at IS NOT NULL AS answered
FROM conversation c
JOIN customer known ON known.workspace_id = c.workspace_id AND known.customer_id = c.conversation_id
LEFT JOIN desk_conversation d
    ON d.workspace_id = c.workspace_id AND d.conversation_id = c.conversation_id
WHERE c.route_unanswered AND c.session_open AND (c.workspace_id, c.conversation_id) > ($1, $2)
    AND (coalesce(d.session, 0) < c.session OR (d.session_open AND d.standing = 'idle'))
ORDER BY c.workspace_id, c.conversation_id LIMIT $3
"""


async def unanswered(
    connection: Connection, after: Route | None = None, *, limit: int = FOUND_MAX
) -> list[Route]:
    """The next routes that no desk has answered, up to `limit`, behind `after` in their order.

    A desk that gets one twice opens nothing twice. What only the message itself told is not known any more:
    its language, and the keyword lists that it matched.
    """
    place = _BEFORE_ALL if after is None else (after.workspace, after.conversation)
    return [_route(row) for row in await connection.fetch(UNANSWERED, *place, limit, timeout=TIMEOUT_S)]


def _route(row: Mapping[str, Any]) -> Route:
    return Route(
        workspace=row["workspace_id"],
        desk=row["desk_id"],
        conversation=row["conversation_id"],
        key=row["key"],
        page=row["page_id"],
        channel=channel_of(row["page_id"]),
        position=row["position"],
        session=row["session"],
        opens_session=row["opens_session"],
        tags=tuple(row["tags"]),
        answered=row["answered"],
    )
