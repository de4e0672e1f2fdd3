"""Desks and conversations from their tables, many at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple, TypeVar, cast
from uuid import UUID

import orjson
from pydantic import BaseModel

from schemas.definitions import Agent, Department, Page, Policy, Rule
from schemas.ids import channel_of
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.conversation_rows import conversation_of
from workers.routing.desk.demoting import Admins
from workers.routing.desk.desk import Desk
from workers.routing.desk.duty import ABSENT, Whereabouts
from workers.routing.desk.roster import Entry
from workers.routing.desk.timers import DESK_WIDE
from workers.runtime.handler import Connection

Name = tuple[str, str]
"""Workspace and desk."""
Row = Mapping[str, Any]
M = TypeVar("M", bound=BaseModel)

# LATERAL with OFFSET, GROUP BY, ORDER BY or LIMIT stays what it says, whatever the planner believes of the
# tables' sizes: one descent of an index for each desk or conversation.
AGENTS = """
SELECT found.* FROM unnest($1::text[], $2::text[]) AS wanted (workspace_id, desk_id)
CROSS JOIN LATERAL (
    SELECT * FROM desk_agent
    WHERE workspace_id = wanted.workspace_id AND desk_id = wanted.desk_id
    OFFSET 0
) AS found
"""
DEPARTMENTS = AGENTS.replace("desk_agent", "desk_department")
PAGES = AGENTS.replace("desk_agent", "desk_page")
RULES = AGENTS.replace("desk_agent", "desk_rule")
POLICIES = AGENTS.replace("desk_agent", "desk_policy")
PACES = AGENTS.replace("desk_agent", "desk_pace")
PRESENCES = AGENTS.replace("desk_agent", "desk_presence")
GATEWAYS = AGENTS.replace("desk_agent", "desk_gateway")
LOADS = """
SELECT wanted.*, found.* FROM unnest($1::text[], $2::text[]) AS wanted (workspace_id, desk_id)
CROSS JOIN LATERAL (
    SELECT holder, page_id, count(*) AS load FROM desk_conversation
    WHERE workspace_id = wanted.workspace_id AND desk_id = wanted.desk_id
        AND session_open AND NOT silent AND NOT blocked AND holder IS NOT NULL
    GROUP BY holder, page_id
) AS found
"""
SILENT = LOADS.replace("NOT silent", "silent")
_desk_wide = ", ".join(f"'{name}'" for name in DESK_WIDE)
TIMERS = f"""
SELECT found.* FROM unnest($1::text[], $2::text[]) AS wanted (workspace_id, desk_id)
CROSS JOIN LATERAL (
    SELECT * FROM desk_timer
    WHERE workspace_id = wanted.workspace_id AND desk_id = wanted.desk_id AND timer IN ({_desk_wide})
    OFFSET 0
) AS found
"""  # noqa: S608  names of workers.routing.desk.timers
WAITING = """
SELECT found.* FROM unnest($1::text[], $2::text[]) AS wanted (workspace_id, desk_id)
CROSS JOIN LATERAL (
    SELECT * FROM desk_conversation
    WHERE workspace_id = wanted.workspace_id AND desk_id = wanted.desk_id
        AND standing IN ('queued', 'offered')
    ORDER BY queued_at
) AS found
"""
TRANSFERS = """
SELECT found.* FROM unnest($1::text[], $2::text[]) AS wanted (workspace_id, desk_id)
CROSS JOIN LATERAL (
    SELECT * FROM desk_conversation
    WHERE workspace_id || ':' || desk_id = wanted.workspace_id || ':' || wanted.desk_id
        AND transfer IS NOT NULL
    OFFSET 0
) AS found
"""
# In the order in which workers.routing.desk.leaving releases them.
HELD = """
SELECT found.* FROM unnest($3::text[]) AS wanted (agent_id)
CROSS JOIN LATERAL (
    SELECT * FROM desk_conversation
    WHERE workspace_id || '/' || holder = $1 || '/' || wanted.agent_id
        AND desk_id = $2 AND holder IS NOT NULL AND care <> 'done'
        AND held_since <= coalesce($4::timestamptz, 'infinity')
    ORDER BY NOT session_open, held_since, key COLLATE "C"
    LIMIT $5
) AS found
ORDER BY NOT session_open, held_since, key COLLATE "C"
LIMIT $6
"""
# As workers.routing.desk.demoting finds them: somebody follows as an admin who is not among those who are.
DEMOTED = """
SELECT found.* FROM unnest($3::text[], $4::text[]) AS wanted (page_id, admins)
CROSS JOIN LATERAL (
    SELECT * FROM desk_conversation
    WHERE workspace_id = $1 AND page_id = wanted.page_id AND desk_id = $2
        AND admin_followers <> '{}' AND NOT admin_followers <@ string_to_array(wanted.admins, ',')
    ORDER BY key COLLATE "C"
    LIMIT $5
) AS found
ORDER BY key COLLATE "C"
LIMIT $5
"""
CONVERSATIONS = """
SELECT found.* FROM unnest($1::text[], $2::uuid[]) AS wanted (workspace_id, conversation_id)
CROSS JOIN LATERAL (
    SELECT * FROM desk_conversation
    WHERE workspace_id = wanted.workspace_id AND conversation_id = wanted.conversation_id
    LIMIT 1
) AS found
"""


STATEMENTS = (
    LOADS,
    SILENT,
    PACES,
    PRESENCES,
    GATEWAYS,
    AGENTS,
    DEPARTMENTS,
    PAGES,
    RULES,
    POLICIES,
    TIMERS,
    WAITING,
    TRANSFERS,
)


async def load_desks(connection: Connection, names: Collection[Name]) -> dict[Name, Desk]:
    """The desks of these names, as the tables have them: with all that wait for something."""
    desks = {name: Desk(*name) for name in names}
    wanted = [name[0] for name in names], [name[1] for name in names]
    found = {statement: _by_desk(await connection.fetch(statement, *wanted)) for statement in STATEMENTS}
    for name, desk in desks.items():
        fill(desk, {statement: by_desk.get(name, ()) for statement, by_desk in found.items()})
    return desks


class Stored(NamedTuple):
    """A conversation with the desk that has it."""

    desk: str
    conversation: Conversation


async def load_conversations(
    connection: Connection, wanted: Collection[tuple[str, UUID]]
) -> dict[tuple[str, UUID], Stored]:
    """The conversations of these workspaces and ids that are known."""
    workspaces, ids = [one[0] for one in wanted], [one[1] for one in wanted]
    rows = await connection.fetch(CONVERSATIONS, workspaces, ids)
    found = [(row["workspace_id"], Stored(row["desk_id"], conversation_of(row))) for row in rows]
    return {(workspace, one.conversation.id): one for workspace, one in found}


async def load_held(
    connection: Connection,
    desk: Name,
    agents: Collection[str],
    at: datetime | None,
    *,
    of_each_max: int,
    of_all_max: int,
) -> list[Conversation]:
    """What is held, and not done, by `agents` of a desk, and was `at` a time, if given: the first of what
    each, and all of them together, would give up."""
    rows = await connection.fetch(HELD, *desk, list(agents), at, of_each_max, of_all_max)
    return [conversation_of(row) for row in rows]


async def load_demoted(connection: Connection, desk: Name, admins: Admins, limit: int) -> list[Conversation]:
    """The first of what is followed, on these pages of a desk, as their admin by others than `admins`."""
    pages, left = list(admins), [",".join(who) for who in admins.values()]
    return list(map(conversation_of, await connection.fetch(DEMOTED, *desk, pages, left, limit)))


def fill(desk: Desk, rows: Mapping[str, Iterable[Row]]) -> None:
    """Make an empty desk what its rows say. Loads come first: they decide who can be chosen."""
    _fill_people(desk, rows)
    for row in rows[AGENTS]:
        desk.set_agent(_entry(Agent, row))
    for row in rows[DEPARTMENTS]:
        department: Entry[Department] = _entry(Department, row)
        desk.roster.departments[department.definition.id] = department
    for row in rows[PAGES]:
        page: Entry[Page] = _entry(Page, row)
        desk.roster.pages[page.definition.id] = page
    for row in rows[RULES]:
        entry = _entry(Rule, row)._replace(position=row["position"])
        desk.set_rule(entry, row["ring"], row["cursor"])
    for row in rows[POLICIES]:
        desk.roster.policy = Policy.model_validate(_read(row["definition"]))
        desk.roster.policy_version = row["version"]
    for row in rows[TIMERS]:
        desk.armed[row["timer"], row["subject"]] = row["due_at"]
    for row in chain(rows[WAITING], rows[TRANSFERS]):
        desk.keep(conversation_of(row))


def _fill_people(desk: Desk, rows: Mapping[str, Iterable[Row]]) -> None:
    for counted in (LOADS, SILENT):
        for row in rows[counted]:
            duty, channel = desk.duties.get(row["holder"], ABSENT), channel_of(row["page_id"])
            desk.duties[row["holder"]] = duty.bearing(row["load"], channel, silent=counted is SILENT)
    for row in rows[PACES]:
        duty = desk.duties.get(row["agent_id"], ABSENT)
        got_at, *given = row["given"]
        desk.duties[row["agent_id"]] = duty._replace(given=tuple(given), got_at=got_at)
    for row in rows[PRESENCES]:
        whereabouts = Whereabouts(_read(row["gateways"]), row["version"], row["since"])
        desk.whereabouts[row["agent_id"]] = whereabouts
    for row in rows[GATEWAYS]:
        desk.gateways[row["gateway"]] = row["alive_at"]


def _entry(model: type[M], row: Row) -> Entry[Any]:
    return Entry(model.model_validate(_read(row["definition"])), row["version"], row["active"])


def _read(value: str | Row) -> Row:
    """JSON as Postgres gives it, or as it was written."""
    return cast("Row", orjson.loads(value)) if isinstance(value, str) else value


def _by_desk(rows: Iterable[Row]) -> dict[Name, list[Row]]:
    """Once over all of them, since a batch may want hundreds of desks."""
    grouped: dict[Name, list[Row]] = {}
    for row in rows:
        grouped.setdefault((row["workspace_id"], row["desk_id"]), []).append(row)
    return grouped
