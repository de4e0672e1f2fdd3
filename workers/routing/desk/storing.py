"""What a batch changed, into the tables: the last state of each thing, many at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
from pydantic import BaseModel

from schemas.assignments import Assigned, ChainEvent
from schemas.outcomes import Outcome
from schemas.roster import (
    AgentChanged,
    DepartmentChanged,
    PageChanged,
    PolicyChanged,
    PresenceChanged,
    RuleChanged,
)
from workers.routing.desk import conversation_rows, people_rows
from workers.routing.desk.answers import Asker, store_outcomes
from workers.routing.desk.desk import Desk
from workers.routing.desk.gateways import GatewayHeard
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
            statement: {} for statement, *_ in _KEPT.values()
        }
        self._turned: dict[tuple[str, str, str], Desk] = {}
        self._outcomes: dict[Asker, Outcome] = {}
        self.timers = Arming()

    def note(self, desk: Desk, event: BaseModel) -> None:
        """Remember that `event`, which has been applied, changed something of `desk`."""
        match event:
            case ChainEvent():
                self._note_chain(desk, event)
            case Outcome():
                if desk.outcomes[event.actor, event.idempotency_key] is event:
                    self._outcomes[desk.workspace, desk.id, event.actor, event.idempotency_key] = event
            case _ if type(event) in _KEPT:
                self._add(type(event), desk, _ID_OF[type(event)](event))

    def _note_chain(self, desk: Desk, event: ChainEvent) -> None:
        self._add(ChainEvent, desk, event.key)
        if not isinstance(event, Assigned):
            return
        if event.why.rule is not None:
            self._turned[desk.workspace, desk.id, event.why.rule] = desk
        if event.holder is not None and desk.duties[event.holder].given:
            self._add(Assigned, desk, event.holder)

    async def write(self, connection: Connection) -> None:
        """Write all of it inside the open transaction of `connection`."""
        for statement, rows in self._rows.items():
            if rows:
                await connection.execute(statement, orjson.dumps([row() for row in rows.values()]).decode())
        cursors = [(*place, desk.rings[place[2]].cursor) for place, desk in self._turned.items()]
        await connection.executemany(CURSOR, cursors)
        await store_outcomes(connection, self._outcomes.values())
        await self.timers.write(connection)

    def _add(self, model: type[BaseModel], desk: Desk, id_: str) -> None:
        statement, row = _KEPT[model]
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


_KEPT: dict[type[BaseModel], tuple[str, Callable[[Desk, str], Row]]] = {
    AgentChanged: (AGENTS, agent_row),
    DepartmentChanged: (DEPARTMENTS, department_row),
    PageChanged: (PAGES, page_row),
    RuleChanged: (RULES, rule_row),
    PolicyChanged: (POLICIES, policy_row),
    PresenceChanged: (people_rows.PRESENCES, people_rows.presence_row),
    GatewayHeard: (people_rows.GATEWAYS, people_rows.gateway_row),
    Assigned: (people_rows.PACES, people_rows.pace_row),
    ChainEvent: (conversation_rows.STORE, conversation_row),
}
"""Which statement keeps what an event changes, and the row it is given; of `assigned`, beside its chain's."""
_ID_OF: dict[type[BaseModel], Callable[[Any], str]] = {
    AgentChanged: lambda event: str(event.agent.id),
    DepartmentChanged: lambda event: str(event.department.id),
    PageChanged: lambda event: str(event.page.id),
    RuleChanged: lambda event: str(event.rule.id),
    PolicyChanged: lambda _: "",
    PresenceChanged: lambda event: str(event.agent),
    GatewayHeard: lambda event: str(event.gateway),
}
