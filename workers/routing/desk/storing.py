"""What a batch changed, into the tables: the last state of each thing, many at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
from pydantic import BaseModel

from schemas.assignments import Assigned, ChainEvent
from schemas.outcomes import Outcome
from schemas.roster import AgentChanged, DepartmentChanged, PageChanged, PolicyChanged, RuleChanged
from workers.routing.desk import conversation_rows
from workers.routing.desk.answers import Asker, store_outcomes
from workers.routing.desk.desk import Desk
from workers.routing.desk.roster import Entry
from workers.routing.desk.timer_rows import Arming
from workers.runtime.handler import Connection

CURSOR = "UPDATE desk_rule SET cursor = $4 WHERE workspace_id = $1 AND desk_id = $2 AND rule_id = $3"
RULES = """
INSERT INTO desk_rule (workspace_id, desk_id, rule_id, definition, version, active, position, ring, cursor)
SELECT workspace_id, desk_id, rule_id, definition, version, active, position, ring, cursor
FROM json_to_recordset($1::json) AS changed (
    workspace_id text, desk_id text, rule_id text, definition jsonb, version int, active boolean,
    position int, ring text[], cursor text)
ON CONFLICT (workspace_id, desk_id, rule_id) DO UPDATE SET
    definition = excluded.definition, version = excluded.version, active = excluded.active,
    position = excluded.position, ring = excluded.ring, cursor = excluded.cursor
"""
AGENTS = """
INSERT INTO desk_agent (workspace_id, desk_id, agent_id, definition, version, active)
SELECT workspace_id, desk_id, id, definition, version, active
FROM json_to_recordset($1::json) AS changed (
    workspace_id text, desk_id text, id text, definition jsonb, version int, active boolean)
ON CONFLICT (workspace_id, desk_id, agent_id) DO UPDATE SET
    definition = excluded.definition, version = excluded.version, active = excluded.active
"""
DEPARTMENTS = AGENTS.replace("desk_agent", "desk_department").replace("agent_id", "department_id")
PAGES = AGENTS.replace("desk_agent", "desk_page").replace("agent_id", "page_id")
POLICIES = """
INSERT INTO desk_policy (workspace_id, desk_id, definition, version)
SELECT workspace_id, desk_id, definition, version
FROM json_to_recordset($1::json) AS changed (workspace_id text, desk_id text, definition jsonb, version int)
ON CONFLICT (workspace_id, desk_id) DO UPDATE SET
    definition = excluded.definition, version = excluded.version
"""

Row = dict[str, Any]


class Changes:
    """What the events of a batch changed: which rows, each to be written once, as it stands at the end."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[tuple[str, str, str], Callable[[], Row]]] = {
            statement: {}
            for statement in (AGENTS, DEPARTMENTS, PAGES, RULES, POLICIES, conversation_rows.STORE)
        }
        self._turned: dict[tuple[str, str, str], Desk] = {}
        self._outcomes: dict[Asker, Outcome] = {}
        self.timers = Arming()

    def note(self, desk: Desk, event: BaseModel) -> None:
        """Remember that `event`, which has been applied, changed something of `desk`."""
        match event:
            case ChainEvent():
                self._add(conversation_rows.STORE, desk, event.key, conversation_row)
                if isinstance(event, Assigned) and event.why.rule is not None:
                    self._turned[desk.workspace, desk.id, event.why.rule] = desk
            case AgentChanged():
                self._add(AGENTS, desk, event.agent.id, agent_row)
            case DepartmentChanged():
                self._add(DEPARTMENTS, desk, event.department.id, department_row)
            case PageChanged():
                self._add(PAGES, desk, event.page.id, page_row)
            case RuleChanged():
                self._add(RULES, desk, event.rule.id, rule_row)
            case PolicyChanged():
                self._add(POLICIES, desk, "", policy_row)
            case Outcome() if desk.outcomes[event.actor, event.idempotency_key] is event:
                self._outcomes[desk.workspace, desk.id, event.actor, event.idempotency_key] = event

    async def write(self, connection: Connection) -> None:
        """Write all of it inside the open transaction of `connection`."""
        for statement, rows in self._rows.items():
            if rows:
                await connection.execute(statement, orjson.dumps([row() for row in rows.values()]).decode())
        cursors = [(*place, desk.rings[place[2]].cursor) for place, desk in self._turned.items()]
        await connection.executemany(CURSOR, cursors)
        await store_outcomes(connection, self._outcomes.values())
        await self.timers.write(connection)

    def _add(self, statement: str, desk: Desk, id_: str, row: Callable[[Desk, str], Row]) -> None:
        self._rows[statement][desk.workspace, desk.id, id_] = partial(row, desk, id_)


def conversation_row(desk: Desk, key: str) -> Row:
    """The row of desk_conversation."""
    return conversation_rows.row_of(desk.workspace, desk.id, desk.conversations[key])


def rule_row(desk: Desk, rule: str) -> Row:
    """The row of desk_rule."""
    entry = desk.roster.rules[rule]
    ring = desk.rings[rule]
    return {
        **_entry_row(desk, entry),
        "rule_id": rule,
        "position": entry.position,
        "ring": ring.agents,
        "cursor": ring.cursor,
    }


def agent_row(desk: Desk, agent: str) -> Row:
    """The row of desk_agent."""
    return _entry_row(desk, desk.roster.agents[agent])


def department_row(desk: Desk, department: str) -> Row:
    """The row of desk_department."""
    return _entry_row(desk, desk.roster.departments[department])


def page_row(desk: Desk, page: str) -> Row:
    """The row of desk_page."""
    return _entry_row(desk, desk.roster.pages[page])


def policy_row(desk: Desk, _: str = "") -> Row:
    """The row of desk_policy."""
    return {
        "workspace_id": desk.workspace,
        "desk_id": desk.id,
        "definition": desk.roster.policy.model_dump(mode="json"),
        "version": desk.roster.policy_version,
    }


def _entry_row(desk: Desk, entry: Entry[Any]) -> Row:
    return {
        "workspace_id": desk.workspace,
        "desk_id": desk.id,
        "id": entry.definition.id,
        "definition": entry.definition.model_dump(mode="json"),
        "version": entry.version,
        "active": entry.active,
    }
