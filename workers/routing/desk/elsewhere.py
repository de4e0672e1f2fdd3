"""What the registry gives to other desks: what is asked about it here is refused."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.commands import Command
from schemas.ids import desk_key
from workers.runtime.handler import Connection

PAGES = "SELECT page_id AS id, workspace_id, desk_id FROM page_registry WHERE page_id = ANY($1::text[])"
AGENTS = """
SELECT agent_id AS id, workspace_id, desk_id FROM agent_registry
WHERE workspace_id = $1 AND agent_id = ANY($2::text[])
"""


async def reserved_elsewhere(
    connection: Connection, command: Command, pages: Sequence[str], agents: Sequence[str]
) -> dict[str, str]:
    """Those of the pages and agents that are another desk's than that of `command`, each with that desk."""
    rows = [
        *(await connection.fetch(PAGES, pages) if pages else ()),
        *(await connection.fetch(AGENTS, command.workspace, agents) if agents else ()),
    ]
    mine = desk_key(command.workspace, command.desk)
    owners = {row["id"]: desk_key(row["workspace_id"], row["desk_id"]) for row in rows}
    return {id_: owner for id_, owner in owners.items() if owner != mine}
