"""Histories of the real desk, decided in memory: what it would have published, and its tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel

from checker.rows import DefinitionRow, DeskConversationRow, SessionRow
from schemas.assignments import SessionClosed, SessionOpened
from schemas.commands import Command
from tests.checker.planted import Planted
from tests.desk.log import LANE
from workers.routing.desk import people_rows, storing
from workers.routing.desk.apply import Decided
from workers.routing.desk.conversation_rows import USUAL, row_of
from workers.routing.desk.decision import KIND_OF, key_of
from workers.routing.desk.desk import Desk

_NAMES = {"workspace_id": "workspace", "conversation_id": "conversation", "desk_id": "desk"} | {
    "page_id": "page",
    "rule_id": "rule",
}


class History:
    """A desk's log as it grows, and what a checker finds in the end."""

    def __init__(self) -> None:
        self.planted = Planted()
        self._sessions: dict[tuple[str, int], bool] = {}

    def note(self, command: Command, offset: int, at: datetime, decided: list[Decided]) -> None:
        """`command` stood at this offset, and the desk decided this on it."""
        at_ms = round(at.timestamp() * 1000)
        what = KIND_OF[type(command)].what
        key = f"{command.workspace}:{command.desk}"
        planted = self.planted.append("commands", key, what, _json(command), at_ms)
        assert planted.partition == LANE
        self.planted.topics["commands"][-1] = planted._replace(offset=offset)
        for one in decided:
            kind = KIND_OF.get(type(one.event))
            if kind is not None and kind.topic != "commands":  # what the desk puts there is decided on later
                value = _json(one.event)
                self.planted.append(kind.topic, key_of(one.event), kind.what, value, at_ms, ce_id=str(one.id))
            if isinstance(one.event, (SessionOpened, SessionClosed)):
                self._sessions[str(one.event.conversation), one.event.session] = isinstance(
                    one.event, SessionClosed
                )

    def told(self, desk: Desk) -> Planted:
        """With the rows that the desk leaves behind."""
        tables = self.planted.tables
        tables[DeskConversationRow] = [
            _conversation(USUAL | row_of(desk.workspace, desk.id, one)) for one in desk.conversations.values()
        ]
        tables[SessionRow] = [SessionRow("acme", *name, ended) for name, ended in self._sessions.items()]
        tables[DefinitionRow] = [
            *(_thing("agent", storing.agent_row(desk, one)) for one in desk.roster.agents),
            *(_thing("department", storing.department_row(desk, one)) for one in desk.roster.departments),
            *(_thing("page", storing.page_row(desk, one)) for one in desk.roster.pages),
            *(_thing("rule", storing.rule_row(desk, one) | {"id": one}) for one in desk.roster.rules),
            *(_presence(people_rows.presence_row(desk, one)) for one in desk.whereabouts),
        ]
        if desk.roster.policy_version:
            row = storing.policy_row(desk) | {"id": "", "active": True}
            tables[DefinitionRow].append(_thing("policy", row))
        return self.planted


def faults(planted: Planted) -> dict[str, str]:
    """What the checker says of the desk: all but of what only intake and the notifier write."""
    report = planted.check()
    return {
        tally.title: tally.witness or ""
        for tally in report.tallies
        if tally.violated and tally.invariant in {3, 4, 5, 6, 7}
    }


def _json(model: BaseModel) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads(model.model_dump_json())
    return value


def _conversation(row: dict[str, Any]) -> DeskConversationRow:
    fields = {_NAMES.get(name, name): value for name, value in row.items()}
    for name, value in fields.items():
        if hasattr(value, "timestamp"):
            fields[name] = round(value.timestamp() * 1000)
    for name in ("facts", "transfer"):
        fields[name] = orjson.dumps(fields[name]).decode() if fields[name] else None
    fields["orders"] = orjson.dumps(fields["orders"]).decode()
    fields |= {name: str(fields[name]) for name in ("conversation", "last_event_id")}
    return DeskConversationRow(**fields)


def _thing(what: str, row: dict[str, Any]) -> DefinitionRow:
    definition = orjson.dumps(row["definition"]).decode()
    return DefinitionRow(
        what, row["workspace_id"], row["desk_id"], row["id"], definition, row["version"], row["active"]
    )


def _presence(row: dict[str, Any]) -> DefinitionRow:
    definition = {"presence": row["presence"], "gateways": row["gateways"]}
    return _thing("presence", row | {"definition": definition, "id": row["agent_id"], "active": True})
