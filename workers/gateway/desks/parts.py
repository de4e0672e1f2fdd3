"""What a desk consists of now, part by part, each with the version of the whole."""

from __future__ import annotations

from typing import Any, TypeVar

from asyncpg import Connection
from pydantic import BaseModel

from schemas.commands import RosterVersion
from schemas.definitions import Agent, Department, Page, Policy, Rule
from workers.gateway.queries.people import sees_page, sees_rule
from workers.gateway.queries.queries import View
from workers.routing.desk.roster_version import read_roster_version

AGENTS = """
SELECT definition FROM desk_agent WHERE workspace_id = $1 AND desk_id = $2 AND active ORDER BY agent_id
"""
DEPARTMENTS = """
SELECT definition FROM desk_department WHERE workspace_id = $1 AND desk_id = $2 AND active
ORDER BY department_id
"""
PAGES = """
SELECT definition FROM desk_page WHERE workspace_id = $1 AND desk_id = $2 AND active ORDER BY page_id
"""
RULES = """
SELECT definition FROM desk_rule WHERE workspace_id = $1 AND desk_id = $2 AND active ORDER BY position
"""
POLICY = "SELECT definition FROM desk_policy WHERE workspace_id = $1 AND desk_id = $2"

M = TypeVar("M", bound=BaseModel)


class DeskPart(BaseModel):
    """A part of a desk's roster."""

    version: RosterVersion
    """Of the whole roster: what `If-Match` names when something of it is to be changed."""


class Desks(BaseModel):
    """The desks of a workspace that somebody may look into."""

    desks: dict[str, RosterVersion]
    """By their ids."""


class DeskAgents(DeskPart):
    """The agents of a desk."""

    agents: tuple[Agent, ...]


class DeskDepartments(DeskPart):
    """The departments of a desk."""

    departments: tuple[Department, ...]


class DeskPages(DeskPart):
    """The pages of a desk that are mine, or for which I work."""

    pages: tuple[Page, ...]


class DeskRules(DeskPart):
    """The rules of a desk for pages that are mine or by which I get conversations, in their order."""

    rules: tuple[Rule, ...]


class DeskPolicy(DeskPart):
    """What holds for the whole desk."""

    policy: Policy


async def read_version(view: View, desk: str) -> int:
    """How often anything of the desk's roster has changed."""
    return await read_roster_version(view.connection, view.identity.workspace, desk)


async def read_agents(view: View, desk: str) -> DeskAgents:
    """All of them, whether online or not."""
    agents = await _definitions(view, desk, AGENTS, Agent)
    return DeskAgents(version=await read_version(view, desk), agents=agents)


async def read_departments(view: View, desk: str) -> DeskDepartments:
    """All of them."""
    departments = await _definitions(view, desk, DEPARTMENTS, Department)
    return DeskDepartments(version=await read_version(view, desk), departments=departments)


async def read_pages(view: View, desk: str) -> DeskPages:
    """Those that he sees."""
    found = await _definitions(view, desk, PAGES, Page)
    pages = tuple(page for page in found if sees_page(view.scope, view.roster, page.id))
    return DeskPages(version=await read_version(view, desk), pages=pages)


async def read_rules(view: View, desk: str) -> DeskRules:
    """Those that he sees."""
    found = await _definitions(view, desk, RULES, Rule)
    rules = tuple(rule for rule in found if sees_rule(view.scope, view.roster, desk, rule))
    return DeskRules(version=await read_version(view, desk), rules=rules)


async def read_policy(view: View, desk: str) -> DeskPolicy:
    """Without one that was ever given, what is usual."""
    found = await _definitions(view, desk, POLICY, Policy)
    return DeskPolicy(version=await read_version(view, desk), policy=next(iter(found), Policy()))


async def _definitions(view: View, desk: str, statement: str, model: type[M]) -> tuple[M, ...]:
    connection: Connection[Any] = view.connection
    rows = await connection.fetch(statement, view.identity.workspace, desk)
    return tuple(model.model_validate_json(row["definition"]) for row in rows)
