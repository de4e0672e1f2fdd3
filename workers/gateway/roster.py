"""Who works for which page: read from the desk's tables, at most a second old."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping

from asyncpg import Pool

from schemas.definitions import Department, Page, Rule, Team
from schemas.ids import channel_of
from workers.runtime.handler import Connection

CACHED_S = 1.0
WORKSPACES_MAX = 1_000

# Every change of a definition raises its version: equal sums, equal rosters.
VERSIONS = """
SELECT (SELECT array[count(*), sum(version)] FROM desk_agent WHERE workspace_id = $1)
    || (SELECT array[count(*), sum(version)] FROM desk_department WHERE workspace_id = $1)
    || (SELECT array[count(*), sum(version)] FROM desk_page WHERE workspace_id = $1)
    || (SELECT array[count(*), sum(version)] FROM desk_rule WHERE workspace_id = $1)
"""
AGENTS = "SELECT agent_id, desk_id, active FROM desk_agent WHERE workspace_id = $1"
DEPARTMENTS = "SELECT desk_id, definition FROM desk_department WHERE workspace_id = $1 AND active"
PAGES = "SELECT desk_id, definition FROM desk_page WHERE workspace_id = $1 AND active"
RULES = "SELECT desk_id, definition FROM desk_rule WHERE workspace_id = $1 AND active"

Agents = frozenset[str]
NOBODY: Agents = frozenset()


class Roster:
    """One workspace. Rules and departments are named within their desk, pages and agents within all."""

    def __init__(
        self,
        desk_of: Mapping[str, str],
        departments: Iterable[tuple[str, Department]],
        pages: Iterable[tuple[str, Page]],
        rules: Iterable[tuple[str, Rule]],
        gone: Iterable[str] = (),
    ) -> None:
        self.desk_of = dict(desk_of)
        """By active agent."""
        self.gone = frozenset(gone).difference(desk_of)
        """Who was removed: whoever is new may be named by others before he is read."""
        active = frozenset(desk_of)
        self.members = {(desk, one.id): active.intersection(one.agents) for desk, one in departments}
        """By desk and department."""
        self.desk_of_page: dict[str, str] = {}
        self.admins: dict[str, Agents] = {}
        """By page."""
        for desk, page in pages:
            self.desk_of_page[page.id] = desk
            self.admins[page.id] = active.intersection(page.admins)
        self.desks = frozenset((*self.desk_of.values(), *self.desk_of_page.values()))
        """All of the workspace's that have agents or pages."""
        self._rules = tuple(rules)
        self._rings = {
            (desk, rule.id): tuple(
                active.intersection(team.agents).union(
                    *(self.members.get((desk, department), NOBODY) for department in team.departments)
                )
                for team in _teams(rule)
            )
            for desk, rule in self._rules
        }
        self._works_for: dict[str, Agents] = {}

    def works_for(self, page: str) -> Agents:
        """The agents of every rule that names the page or its channel, and its admins."""
        found = self._works_for.get(page)
        if found is None and page in self.desk_of_page:
            found = self._works_for[page] = self._look_for_workers(page, self.desk_of_page[page])
        return found or NOBODY

    def audience(self, name: str, page: str) -> Agents:
        """Whom `page:…`, `admins:…`, `rule:<rule>/<ring>` means, said of a conversation of `page`."""
        kind, _, rest = name.partition(":")
        match kind:
            case "page":
                return self.works_for(rest)
            case "admins":
                return self.admins.get(rest, NOBODY)
            case "rule":
                rule, _, ring = rest.rpartition("/")
                rings = self._rings.get((self.desk_of_page.get(page, ""), rule), ())
                return rings[int(ring)] if ring.isdecimal() and int(ring) < len(rings) else NOBODY
        return NOBODY

    def audiences(self, agent: str, desk: str) -> Agents:
        """The names of those of this desk to whom offers are made and of whom `agent` is."""
        mine = [
            (rule, number)
            for of, rule in self._rules
            if of == desk
            for number, ring in enumerate(self._rings[of, rule.id])
            if agent in ring
        ]
        administered = {page for page, admins in self.admins.items() if agent in admins}
        pages = {page for rule, _ in mine for page in rule.pages}
        channels = {channel for rule, _ in mine for channel in rule.channels}
        pages.update(page for page in self.desk_of_page if channel_of(page) in channels)
        return frozenset(
            (
                *(f"rule:{rule.id}/{number}" for rule, number in mine),
                *(f"page:{page}" for page in pages | administered if self.desk_of_page.get(page) == desk),
                *(f"admins:{page}" for page in administered if self.desk_of_page[page] == desk),
            )
        )

    def supervises(self, admin: str, agent: str) -> bool:
        """Whether `admin` administers every page for which `agent` works, and there is one."""
        pages = [page for page in self.admins if agent in self.works_for(page)]
        return bool(pages) and all(admin in self.admins[page] for page in pages)

    def _look_for_workers(self, page: str, desk: str) -> Agents:
        channel = channel_of(page)
        rings = (
            ring
            for of, rule in self._rules
            if of == desk and (page in rule.pages or channel in rule.channels)
            for ring in self._rings[of, rule.id]
        )
        return self.admins[page].union(*rings)


class Rosters:
    """The rosters of all workspaces that are asked for."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        # workspace → (roster, versions, time in seconds at which they were looked at)
        self._known: OrderedDict[str, tuple[Roster, list[int], float]] = OrderedDict()
        self._looking: dict[str, asyncio.Task[Roster]] = {}

    async def of(self, workspace: str, age_s: float = CACHED_S) -> Roster:
        """The roster of `workspace`, as it was at most so long ago. Raises what Postgres raises."""
        known = self._known.get(workspace)
        if known is not None and time.monotonic() - known[2] <= age_s:
            return known[0]
        # Many ask at once; one looks. Cancelling one of them must not cancel it for the others.
        looking = self._looking.get(workspace)
        if looking is None:
            looking = self._looking[workspace] = asyncio.create_task(self._look(workspace))
            looking.add_done_callback(lambda _: self._looking.pop(workspace))
        return await asyncio.shield(looking)

    async def _look(self, workspace: str) -> Roster:
        at_s = time.monotonic()
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            versions = await connection.fetchval(VERSIONS, workspace)
            known = self._known.get(workspace)
            roster = known[0] if known and known[1] == versions else await _load(connection, workspace)
        self._known[workspace] = (roster, versions, at_s)
        self._known.move_to_end(workspace)
        if len(self._known) > WORKSPACES_MAX:
            self._known.popitem(last=False)
        return roster


async def _load(connection: Connection, workspace: str) -> Roster:
    departments = await connection.fetch(DEPARTMENTS, workspace)
    pages = await connection.fetch(PAGES, workspace)
    rules = await connection.fetch(RULES, workspace)
    agents = await connection.fetch(AGENTS, workspace)
    return Roster(
        {agent: desk for agent, desk, active in agents if active},
        [(desk, Department.model_validate_json(text)) for desk, text in departments],
        [(desk, Page.model_validate_json(text)) for desk, text in pages],
        [(desk, Rule.model_validate_json(text)) for desk, text in rules],
        gone=(agent for agent, _, active in agents if not active),
    )


def _teams(rule: Rule) -> tuple[Team, ...]:
    return (Team(agents=rule.agents, departments=rule.departments), *rule.next_rings)
