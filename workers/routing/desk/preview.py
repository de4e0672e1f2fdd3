"""What somebody's leave or removal would touch, told before it is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from schemas.asks import SetLeave
from schemas.assignments import Cause
from schemas.commands import AskedCommand
from workers.routing.desk.decide import carry_out
from workers.routing.desk.decision import Place
from workers.routing.desk.desk import Desk
from workers.routing.desk.memory import Memory
from workers.runtime.handler import Connection

FORESEEN_MAX = 1_000
"""Conversations that he holds, or that wait: so many fit one decision, and take no time to think through."""
WAITING = """
SELECT count(*) FROM (
    SELECT FROM desk_conversation
    WHERE workspace_id = $1 AND desk_id = $2 AND standing IN ('queued', 'offered') LIMIT $3
) AS waiting
"""

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


class Foreseen(NamedTuple):
    """What would become of what an agent holds, without what is done."""

    given: Mapping[str, int]
    """To whom how many would go at once."""
    offered: int
    waiting: int
    with_next_message: int
    """Those without an open session: their customers' next messages find somebody."""
    kept: int


async def is_foreseeable(connection: Connection, workspace: str, desk: str, held: Collection[Held]) -> bool:
    """Whether it takes little enough to think through what would become of what is held."""
    waiting: int = await connection.fetchval(WAITING, workspace, desk, FORESEEN_MAX + 1)
    return max(waiting, sum(one.held for one in held)) <= FORESEEN_MAX


async def desk_before(connection: Connection, command: AskedCommand) -> Desk:
    """The desk as its tables have it now, with all that `command` touches. Nothing is written."""
    memory = Memory(1, FORESEEN_MAX)
    await memory.load(connection, [(0, command)])
    return memory.desk(command)


def foresee(desk: Desk, command: SetLeave, at: datetime) -> Foreseen:
    """What the desk, which is of no use after it, would decide on `command` at this moment."""
    touched = [
        key for key, one in desk.conversations.items() if one.holder == command.agent and one.care != "done"
    ]
    carry_out(desk, command, Place(at, Cause(partition=0, offset=0), str))
    after = [desk.conversations[key] for key in touched]
    standing = Counter(one.standing for one in after)
    given = Counter(one.holder for one in after if one.holder not in (None, command.agent))
    return Foreseen(
        {str(agent): count for agent, count in given.items()},
        standing["offered"],
        standing["queued"],
        standing["idle"],
        sum(one.holder == command.agent for one in after),
    )
