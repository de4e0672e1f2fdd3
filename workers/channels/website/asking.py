"""What an agent has asked a visitor to share of himself, and whether he has answered."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

import orjson

# Whoever answers comes behind the question: what lies there is walked over, and mostly it is little.
ASKED = """
SELECT m.params -> 'asks' AS asks, EXISTS (
    SELECT FROM message answer
    WHERE answer.workspace_id = m.workspace_id AND answer.conversation_id = m.conversation_id
        AND answer.position > m.position AND answer.channel_message_id = $4) AS is_answered
FROM message m
WHERE m.workspace_id = $1 AND m.conversation_id = $2 AND m.position = $3 AND m.sender <> 'customer'
    AND m.kind = 'text' AND m.params ? 'asks'
"""


class Asked(NamedTuple):
    """A question in a transcript: some of `name`, `phone`, `email`."""

    asks: frozenset[str]
    is_answered: bool


async def read_asked(
    pool: Any,  # noqa: ANN401 - asyncpg's
    workspace: str,
    conversation: UUID,
    position: int,
    answer: str,
) -> Asked | None:
    """The question at a position; none: nothing is asked there. Raises what Postgres raises.

    Args:
        answer: the channel's id of its answer.
    """
    row = await pool.fetchrow(ASKED, workspace, conversation, position, answer)
    return None if row is None else Asked(frozenset(orjson.loads(row["asks"])), row["is_answered"])
