"""What the registry gives to other desks: a configuration that names it is refused."""

from __future__ import annotations

from schemas.commands import Configure
from schemas.ids import desk_key
from workers.runtime.handler import Connection

PAGES = "SELECT page_id AS id, workspace_id, desk_id FROM page_registry WHERE page_id = ANY($1::text[])"
AGENTS = """
SELECT agent_id AS id, workspace_id, desk_id FROM agent_registry
WHERE workspace_id = $1 AND agent_id = ANY($2::text[])
"""


async def reserved_elsewhere(connection: Connection, command: Configure) -> dict[str, str]:
    """The pages and agents of `command` that are another desk's, each with that desk."""
    pages = await connection.fetch(PAGES, [page.id for page in command.pages])
    agents = await connection.fetch(AGENTS, command.workspace, [agent.id for agent in command.agents])
    mine = desk_key(command.workspace, command.desk)
    owners = {row["id"]: desk_key(row["workspace_id"], row["desk_id"]) for row in (*pages, *agents)}
    return {id_: owner for id_, owner in owners.items() if owner != mine}
