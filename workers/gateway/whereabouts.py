"""What desks believe of agents at this gateway, read from their tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from asyncpg import Pool

from schemas.assignments import Presence
from workers.gateway.presence import AgentPlace

DeskPlace = tuple[str, str]
"""Workspace and desk."""
Told = tuple[DeskPlace, Presence]

BELIEVED = """
SELECT agent_id, gateways ->> $4 FROM desk_presence
WHERE workspace_id = $1 AND desk_id = $2 AND agent_id = ANY ($3)
"""


async def misheard(pool: Pool, gateway: str, told: Mapping[AgentPlace, Told]) -> set[AgentPlace]:
    """Of whom their desk does not believe what it was told by `gateway`. Raises what Postgres raises.

    A desk that heard nothing of a gateway for too long has dropped it, whatever the gateway knows of that.
    """
    found = set(told)
    by_desk = sorted((desk, agent) for (_, agent), (desk, _) in told.items())
    for (workspace, desk), group in groupby(by_desk, key=lambda one: one[0]):
        rows = await pool.fetch(BELIEVED, workspace, desk, [agent for _, agent in group], gateway)
        found -= set(_believed(told, workspace, rows))
    return found


def _believed(
    told: Mapping[AgentPlace, Told], workspace: str, rows: Iterable[tuple[str, str]]
) -> Iterable[AgentPlace]:
    return ((workspace, agent) for agent, presence in rows if told[workspace, agent][1] == presence)
