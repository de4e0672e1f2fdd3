"""Conversations as rows of desk_conversation: one table of columns, used both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any, cast
from uuid import UUID

import orjson

from schemas.assignments import Facts
from workers.routing.desk.conversation import Conversation, Transfer

Row = Mapping[str, Any]

COLUMNS = {
    "workspace_id": "text",
    "conversation_id": "uuid",
    "desk_id": "text",
    "key": "text",
    "page_id": "text",
    "seq": "int",
    "last_event_id": "uuid",
    "epoch": "int",
    "round": "int",
    "care": "text",
    "standing": "text",
    "holder": "text",
    "session": "int",
    "session_open": "boolean",
    "after_position": "int",
    "rule_id": "text",
    "queued_at": "timestamptz",
    "queued_offset": "bigint",
    "priority": "smallint",
    "facts": "jsonb",
    "reason": "text",
    "outcome": "text",
    "declined": "text[]",
    "audience": "text",
    "ring": "smallint",
    "offer_expires_at": "timestamptz",
    "transfer": "jsonb",
    "followers": "text[]",
    "muted": "text[]",
    "held_since": "timestamptz",
    "taken_from": "text",
    "last_holder": "text",
    "last_held_at": "timestamptz",
    "blocked": "boolean",
    "blocked_until": "timestamptz",
    "blocked_at": "timestamptz",
    "blocked_by": "text",
    "blocked_reason": "text",
    "silent": "boolean",
    "absent_until": "timestamptz",
    "quiet_until": "timestamptz",
    "orders": "jsonb",
    "admin_followers": "text[]",
}
"""Of the table, with their types."""
_KEY = ("workspace_id", "conversation_id")
USUAL: dict[str, Any] = {
    "rule_id": None,
    "queued_at": None,
    "queued_offset": None,
    "priority": 2,
    "facts": None,
    "reason": None,
    "outcome": None,
    "declined": frozenset(),
    "audience": None,
    "ring": 0,
    "offer_expires_at": None,
    "transfer": None,
    "followers": frozenset(),
    "muted": frozenset(),
    "held_since": None,
    "taken_from": None,
    "last_holder": None,
    "last_held_at": None,
    "blocked": False,
    "blocked_until": None,
    "blocked_at": None,
    "blocked_by": None,
    "blocked_reason": None,
    "silent": False,
    "absent_until": None,
    "quiet_until": None,
    "orders": (),
    "admin_followers": frozenset(),
}
"""What a row need not say, since most conversations have it: each field takes the server its time."""
_NAMED_OTHERWISE = {
    "conversation_id": "id",
    "page_id": "page",
    "last_event_id": "last_event",
    "rule_id": "rule",
}
_SETS = ("declined", "followers", "muted", "admin_followers")
_WRITTEN_EMPTY = {**dict.fromkeys(_SETS, "'{}'"), "orders": "'[]'"}
_OF_DESK = ("workspace_id", "desk_id")


def _selected(name: str) -> str:
    usual = _WRITTEN_EMPTY.get(name, USUAL.get(name))
    return name if usual is None else f"coalesce({name}, {usual})"


_names = ", ".join(COLUMNS)
_values = ", ".join(map(_selected, COLUMNS))
_typed = ", ".join(f"{name} {type_}" for name, type_ in COLUMNS.items())
_changed = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name not in (*_KEY, "desk_id"))

# JSON: the server reads it in less time than a driver takes to write an array of each column. ON CONFLICT
# finds each row by its primary key, whatever the planner believes.
STORE = f"""
INSERT INTO desk_conversation ({_names})
SELECT {_values} FROM json_to_recordset($1::json) AS changed ({_typed})
ON CONFLICT (workspace_id, conversation_id) DO UPDATE SET {_changed}
"""  # noqa: S608  columns of this module


def row_of(workspace: str, desk: str, conversation: Conversation) -> dict[str, Any]:
    """The row of `conversation`, as JSON values."""
    row: dict[str, Any] = {"workspace_id": workspace, "desk_id": desk}
    row.update(zip(_ALWAYS, _always(conversation), strict=True))
    for name, usual, value in zip(USUAL, _usual, _seldom(conversation), strict=True):
        if value is not usual:
            row[name] = _WRITTEN[name](value) if name in _WRITTEN else value
    return row


_of_conversation = tuple(name for name in COLUMNS if name not in _OF_DESK)
_ALWAYS = tuple(name for name in _of_conversation if name not in USUAL)
_WRITTEN: dict[str, Callable[[Any], object]] = {
    **dict.fromkeys(_SETS, sorted),
    "facts": vars,
    "transfer": Transfer._asdict,
}


def _fields(names: Iterable[str]) -> Callable[[Conversation], tuple[Any, ...]]:
    """The conversation's fields of these columns: at a third of the time of naming each."""
    return itemgetter(*(Conversation._fields.index(_NAMED_OTHERWISE.get(name, name)) for name in names))


_always, _seldom, _usual = _fields(_ALWAYS), _fields(USUAL), tuple(USUAL.values())


def conversation_of(row: Row) -> Conversation:
    """The conversation of `row`; a driver's own kind of UUID is made an ordinary one, or text."""
    fields = {_NAMED_OTHERWISE.get(name, name): row[name] for name in _of_conversation}
    fields |= {name: frozenset(row[name]) for name in _SETS}
    fields["id"] = UUID(int=row["conversation_id"].int)
    fields["last_event"] = str(row["last_event_id"])
    fields["facts"] = Facts.model_validate(_read(row["facts"])) if row["facts"] else None
    fields["transfer"] = _transfer(row["transfer"])
    fields["orders"] = tuple(map(tuple, _read(row["orders"])))
    return Conversation(**fields)


def _transfer(value: str | Row | None) -> Transfer | None:
    if value is None:
        return None
    fields = _read(value)
    expires_at = fields["expires_at"]
    moment = datetime.fromisoformat(expires_at) if isinstance(expires_at, str) else expires_at
    names = {name: tuple(fields[name]) for name in ("agents", "rejected")}
    return Transfer(**{**fields, **names, "expires_at": moment})


def _read(value: str | Row) -> Row:
    """JSON as Postgres gives it, or as it was written."""
    return cast("Row", orjson.loads(value)) if isinstance(value, str) else value
