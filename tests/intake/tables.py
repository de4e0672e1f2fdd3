"""What intake's tables say of a conversation."""

from __future__ import annotations

from typing import Any

from schemas.ids import conversation_id
from tests.intake.log import PAGE, key_of
from workers.runtime.handler import Connection


async def transcript(connection: Connection, user: str, page: str = PAGE) -> list[dict[str, Any]]:
    """The lines of a conversation in order."""
    rows = await connection.fetch(
        "SELECT * FROM message WHERE conversation_id = $1 ORDER BY position",
        conversation_id(key_of(user, page)),
    )
    return [dict(row) for row in rows]


async def state(connection: Connection, user: str) -> dict[str, Any]:
    """The row of a conversation."""
    row = await connection.fetchrow(
        "SELECT * FROM conversation WHERE conversation_id = $1", conversation_id(key_of(user))
    )
    assert row is not None
    return dict(row)
