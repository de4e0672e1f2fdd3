"""What a batch changed, into the tables: the last state of each thing, many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import orjson
from pydantic import BaseModel

from schemas.assignments import Assigned
from schemas.outcomes import Outcome
from schemas.roster import (
    AgentChanged,
    DepartmentChanged,
    PageChanged,
    PolicyChanged,
    PresenceChanged,
    RuleChanged,
)
from workers.routing.desk import people_rows
from workers.routing.desk.answers import DROP_EVERY, Asker, drop_old, store_outcomes
from workers.routing.desk.apply import Decided
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.conversation_rows import STORE, row_of
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
        self._steps: dict[tuple[str, str, str], tuple[Desk, Conversation | None]] = {}
        """By workspace, desk and key: the conversations that changed, each as it stood before."""
        self._turned: dict[tuple[str, str, str], Desk] = {}
        self._outcomes: dict[Asker, Outcome] = {}
        self._answered: set[Desk] = set()
        self.timers = Arming()

    def note(self, desk: Desk, decided: Decided) -> None:
        """Remember that what was decided, and has been applied, changed something of `desk`."""
        event, step = decided.event, decided.step
        if step is not None:
            self._steps.setdefault((desk.workspace, desk.id, step.now.key), (desk, step.before))
            if type(event) is Assigned:
                self._note_assigned(desk, event)
        elif type(event) in _KEPT:
            self._add(type(event), desk, _ID_OF[type(event)](event))
        elif isinstance(event, Outcome) and desk.outcomes[event.actor, event.idempotency_key] is event:
            self._outcomes[desk.workspace, desk.id, event.actor, event.idempotency_key] = event
            self._answered.add(desk)
            desk.drops_after -= 1

    def _note_assigned(self, desk: Desk, event: Assigned) -> None:
        if event.why.rule is not None:
            self._turned[desk.workspace, desk.id, event.why.rule] = desk
        if event.holder is not None and desk.duties[event.holder].got_at is not None:
            self._add(Assigned, desk, event.holder)

    def conversations(self) -> Iterator[tuple[Desk, str]]:
        """Those that changed: each one's desk and key."""
        return ((desk, key) for (_, _, key), (desk, _) in self._steps.items())

    async def write(self, connection: Connection) -> None:
        """Write all of it inside the open transaction of `connection`."""
        await self._write_conversations(connection)
        for statement, rows in self._rows.items():
            if rows:
                await connection.execute(statement, orjson.dumps([row() for row in rows.values()]).decode())
        if self._turned:
            cursors = [(*place, desk.rings[place[2]].cursor) for place, desk in self._turned.items()]
            await connection.executemany(CURSOR, cursors)
        await self._write_outcomes(connection)
        await self.timers.write(connection)

    async def _write_outcomes(self, connection: Connection) -> None:
        await store_outcomes(connection, self._outcomes.values())
        for desk in self._answered:
            if desk.drops_after <= 0:
                desk.drops_after = DROP_EVERY
                await drop_old(connection, desk.workspace, desk.id, desk.at)

    async def _write_conversations(self, connection: Connection) -> None:
        """As they stand now; what runs out follows from that and from how they stood before the batch."""
        rows = []
        for (workspace, id_, key), (desk, before) in self._steps.items():
            now = desk.conversations[key]
            self.timers.note(desk, before, now)
            rows.append(row_of(workspace, id_, now))
        if rows:
            await connection.execute(STORE, orjson.dumps(rows).decode())

    def _add(self, model: type[BaseModel], desk: Desk, id_: str) -> None:
        statement, row = _KEPT[model]
        self._rows[statement][desk.workspace, desk.id, id_] = partial(row, desk, id_)


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
}
"""Which statement keeps what an event changes, and the row it is given; of `assigned`, the pace."""
_ID_OF: dict[type[BaseModel], Callable[[Any], str]] = {
    AgentChanged: lambda event: str(event.agent.id),
    DepartmentChanged: lambda event: str(event.department.id),
    PageChanged: lambda event: str(event.page.id),
    RuleChanged: lambda event: str(event.rule.id),
    PolicyChanged: lambda _: "",
    PresenceChanged: lambda event: str(event.agent),
    GatewayHeard: lambda event: str(event.gateway),
}
