"""What the desks of a workspace have now, as the tables of the desk say."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel

from schemas.definitions import Agent, Department, Page, Policy, Rule
from workers.runtime.handler import Connection
from workers.workspace.workspace import DeskRoster

_Definition = TypeVar("_Definition", bound=BaseModel)

_DESKS = """
SELECT DISTINCT desk_id FROM (
    SELECT desk_id FROM desk_agent WHERE workspace_id = $1 AND active
    UNION ALL SELECT desk_id FROM desk_page WHERE workspace_id = $1 AND active
    UNION ALL SELECT desk_id FROM desk_rule WHERE workspace_id = $1 AND active) AS desk
ORDER BY desk_id
"""
_AGENTS = """
SELECT definition FROM desk_agent WHERE workspace_id = $1 AND desk_id = $2 AND active ORDER BY agent_id
"""
_DEPARTMENTS = """
SELECT definition FROM desk_department WHERE workspace_id = $1 AND desk_id = $2 AND active
ORDER BY department_id
"""
_PAGES = """
SELECT definition FROM desk_page WHERE workspace_id = $1 AND desk_id = $2 AND active ORDER BY page_id
"""
_POLICY = "SELECT definition FROM desk_policy WHERE workspace_id = $1 AND desk_id = $2"
_RULES = """
SELECT definition FROM desk_rule WHERE workspace_id = $1 AND desk_id = $2 AND active ORDER BY position
"""


async def present_desks(connection: Connection, workspace: str) -> tuple[str, ...]:
    """Return the ids of the desks that have anything, in order."""
    return tuple(row["desk_id"] for row in await connection.fetch(_DESKS, workspace))


async def present_roster(connection: Connection, workspace: str, desk: str) -> DeskRoster:
    """Return what one desk has."""
    place = (connection, workspace, desk)
    return DeskRoster(
        id=desk,
        agents=await _definitions(*place, _AGENTS, Agent),
        departments=await _definitions(*place, _DEPARTMENTS, Department),
        pages=await _definitions(*place, _PAGES, Page),
        rules=await _definitions(*place, _RULES, Rule),
        policy=next(iter(await _definitions(*place, _POLICY, Policy)), Policy()),
    )


async def _definitions(
    connection: Connection, workspace: str, desk: str, query: str, model: type[_Definition]
) -> tuple[_Definition, ...]:
    rows = await connection.fetch(query, workspace, desk)
    return tuple(model.model_validate_json(row["definition"]) for row in rows)
