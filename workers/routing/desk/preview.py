"""What somebody's leave or removal would touch, told before it is asked for."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from workers.runtime.handler import Connection

HELD = """
SELECT wanted.agent_id, found.talking, found.held FROM unnest($3::text[]) AS wanted (agent_id)
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE session_open) AS talking, count(*) AS held FROM desk_conversation
    WHERE workspace_id || '/' || holder = $1 || '/' || wanted.agent_id
        AND desk_id = $2 AND holder IS NOT NULL AND care <> 'done'
) AS found
WHERE found.held > 0
ORDER BY wanted.agent_id
"""


class Held(NamedTuple):
    """What an agent would give up: how many conversations, and of these those with an open session.

    The latter go to others at once, the rest with their customers' next messages.
    """

    agent: str
    talking: int
    held: int


async def held_by(
    connection: Connection, workspace: str, desk: str, agents: Collection[str]
) -> tuple[Held, ...]:
    """What those of `agents` hold who hold anything, without what is done."""
    rows = await connection.fetch(HELD, workspace, desk, list(agents)) if agents else ()
    return tuple(Held(*row) for row in rows)
