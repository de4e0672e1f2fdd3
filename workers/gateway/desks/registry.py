"""Reserves agents for the desk that shall have them, as `tongdai apply` does, before the command goes out."""

from __future__ import annotations

from collections.abc import Collection

from asyncpg import Pool

# Who is another desk's stays there: the desk that is asked says so.
RESERVE = """
INSERT INTO agent_registry (workspace_id, agent_id, desk_id)
SELECT $1, agent, $2 FROM unnest($3::text[]) AS wanted (agent) ORDER BY agent
ON CONFLICT (workspace_id, agent_id) DO NOTHING
"""


async def reserve_agents(pool: Pool, workspace: str, desk: str, agents: Collection[str]) -> None:
    """Let nobody else have those of `agents` who are free. Raises what Postgres raises."""
    if agents:
        await pool.execute(RESERVE, workspace, desk, list(agents))
