"""What people call agents, departments, rules and reasons of a desk, for log lines."""

from __future__ import annotations

from asyncpg import Connection

from workers.wording.names import Names

AGENTS = "SELECT agent_id, definition ->> 'name' FROM desk_agent WHERE workspace_id = $1"
DEPARTMENTS = """
SELECT department_id, definition ->> 'name' FROM desk_department WHERE workspace_id = $1 AND desk_id = $2
"""
RULES = """
SELECT rule_id, definition ->> 'name' AS name, definition ->> 'owner' AS owner
FROM desk_rule WHERE workspace_id = $1 AND desk_id = $2
"""
REASONS = """
SELECT reason ->> 'id', reason ->> 'name'
FROM desk_policy CROSS JOIN jsonb_array_elements(definition -> 'reasons') AS reason
WHERE workspace_id = $1 AND desk_id = $2
"""


async def read_names(connection: Connection, workspace: str, desk: str) -> Names:
    """The names of a desk; agents of all desks, for a service may name any."""
    rules = await connection.fetch(RULES, workspace, desk)
    return Names(
        agents=dict(await connection.fetch(AGENTS, workspace)),
        departments=dict(await connection.fetch(DEPARTMENTS, workspace, desk)),
        rules={row["rule_id"]: row["name"] for row in rules},
        owners={row["rule_id"]: row["owner"] for row in rules},
        reasons=dict(await connection.fetch(REASONS, workspace, desk)),
    )
