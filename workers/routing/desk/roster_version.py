"""The version of a desk's roster as its tables have it: the same number that the desk takes for it."""

from __future__ import annotations

from workers.runtime.handler import Connection

# What was removed stays in the tables, and goes on counting.
VERSION = """
SELECT coalesce(sum(version), 0)::bigint FROM (
    SELECT version FROM desk_agent WHERE workspace_id = $1 AND desk_id = $2
    UNION ALL SELECT version FROM desk_department WHERE workspace_id = $1 AND desk_id = $2
    UNION ALL SELECT version FROM desk_page WHERE workspace_id = $1 AND desk_id = $2
    UNION ALL SELECT version FROM desk_rule WHERE workspace_id = $1 AND desk_id = $2
    UNION ALL SELECT version FROM desk_policy WHERE workspace_id = $1 AND desk_id = $2
) AS part
"""


async def read_roster_version(connection: Connection, workspace: str, desk: str) -> int:
    """How often anything of the roster has changed; 0: there is none."""
    found: int = await connection.fetchval(VERSION, workspace, desk)
    return found
