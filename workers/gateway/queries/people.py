"""Pages, rules and agents, of what somebody may see."""

from __future__ import annotations

from typing import Any

from asyncpg import Connection
from pydantic import BaseModel

from schemas.assignments import Presence
from schemas.base import Moment
from schemas.definitions import Agent, Page, Rule
from schemas.ids import channel_of
from workers.gateway.identity import Identity
from workers.gateway.queries.scope import Scope
from workers.gateway.roster import Roster

PAGES = """
SELECT p.desk_id, p.definition, d.paused, d.paused_at
FROM desk_page p LEFT JOIN delivery_page d ON d.page_id = p.page_id
WHERE p.workspace_id = $1 AND p.active ORDER BY p.page_id
"""
RULES = """
SELECT desk_id, definition, version FROM desk_rule WHERE workspace_id = $1 AND active
ORDER BY desk_id, position
"""
# Offline is who has never come: he has no row. Loads: one descent of each index that the desk's own sums use.
AGENTS = """
SELECT a.desk_id, a.definition, coalesce(p.presence, 'offline') AS presence, p.since, l.load, s.silent
FROM desk_agent a
LEFT JOIN desk_presence p USING (workspace_id, desk_id, agent_id)
CROSS JOIN LATERAL (
    SELECT count(*)::int AS load FROM desk_conversation d
    WHERE d.workspace_id = $1 AND d.desk_id = a.desk_id AND d.holder = a.agent_id
        AND d.session_open AND NOT d.silent AND NOT d.blocked
) AS l
CROSS JOIN LATERAL (
    SELECT count(*)::int AS silent FROM desk_conversation d
    WHERE d.workspace_id = $1 AND d.desk_id = a.desk_id AND d.holder = a.agent_id
        AND d.session_open AND d.silent AND NOT d.blocked
) AS s
WHERE a.workspace_id = $1 AND a.desk_id = ANY ($2) AND a.active
ORDER BY a.agent_id
"""


class PageSeen(BaseModel):
    """A page."""

    desk: str
    page: Page
    mine: bool
    """Whether I am an admin of it."""
    paused: str | None
    """Why answers wait instead of being sent, as reasons of deliveries say it; none: they are sent."""
    paused_since: Moment | None


class RuleSeen(BaseModel):
    """A rule."""

    desk: str
    rule: Rule
    version: int


class AgentSeen(BaseModel):
    """An agent, as he is now."""

    desk: str
    agent: Agent
    presence: Presence
    since: Moment | None
    """Since when he is; none: he has never come."""
    load: int
    """Open sessions that he holds and that are neither silent nor of somebody who is kept out."""
    silent: int
    """Those that are silent: no load, but of them, too, he has at most as many as his capacity."""


async def read_pages(connection: Connection, scope: Scope, roster: Roster) -> list[PageSeen]:
    """The pages for which he works, and those that are his."""
    found = [
        (Page.model_validate_json(row["definition"]), row) for row in await _all(connection, PAGES, scope)
    ]
    return [
        PageSeen(
            desk=row["desk_id"],
            page=page,
            mine=page.id in scope.pages,
            paused=row["paused"],
            paused_since=row["paused_at"],
        )
        for page, row in found
        if sees_page(scope, roster, page.id)
    ]


async def read_rules(connection: Connection, scope: Scope, roster: Roster) -> list[RuleSeen]:
    """In their order: the rules of his pages, and those by which he gets conversations."""
    seen = [
        RuleSeen(
            desk=row["desk_id"], rule=Rule.model_validate_json(row["definition"]), version=row["version"]
        )
        for row in await _all(connection, RULES, scope)
    ]
    return [one for one in seen if sees_rule(scope, roster, one.desk, one.rule)]


async def read_agents(
    connection: Connection, scope: Scope, identity: Identity, roster: Roster
) -> list[AgentSeen]:
    """The agents of his desk, to whom he may transfer, and of the desks of his pages; an admin's are all."""
    rows = await connection.fetch(AGENTS, scope.workspace, sorted(desks_of(scope, identity, roster)))
    return [
        AgentSeen(
            desk=row["desk_id"],
            agent=Agent.model_validate_json(row["definition"]),
            presence=row["presence"],
            since=row["since"],
            load=row["load"],
            silent=row["silent"],
        )
        for row in rows
    ]


def desks_of(scope: Scope, identity: Identity, roster: Roster) -> set[str]:
    """His own, and those of his pages; an admin's and a service's are all."""
    if identity.role == "admin" or identity.scopes:
        return {scope.desk, *roster.desks}
    return {scope.desk, *(roster.desk_of_page[page] for page in scope.pages)}


def sees_page(scope: Scope, roster: Roster, page: str) -> bool:
    """Whether he works for the page, or it is his."""
    return page in scope.pages or scope.agent in roster.works_for(page)


def sees_rule(scope: Scope, roster: Roster, desk: str, rule: Rule) -> bool:
    """Whether he gets conversations by a rule of `desk`, or it is for a page of his."""
    is_asked = desk == scope.desk and any(
        f"rule:{rule.id}/{ring}" in scope.audiences for ring in range(len(rule.next_rings) + 1)
    )
    return is_asked or any(
        page in rule.pages or channel_of(page) in rule.channels
        for page in scope.pages
        if roster.desk_of_page.get(page) == desk
    )


async def _all(connection: Connection, statement: str, scope: Scope) -> list[Any]:
    return list(await connection.fetch(statement, scope.workspace))
