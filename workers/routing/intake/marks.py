"""Marks of messages: their edits and reactions, beside lines that never change."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import orjson

from schemas.envelope import time_text
from schemas.inbound import Edit, Reaction
from schemas.messages import Mark
from workers.runtime.handler import Connection

# LATERAL with LIMIT: one descent of the index for each, whatever the planner believes of the table's size.
LOAD = """
SELECT found.*
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[])
    AS wanted (workspace_id, conversation_id, channel_message_id, mark)
CROSS JOIN LATERAL (
    SELECT conversation_id, channel_message_id, mark, value, number FROM message_mark
    WHERE workspace_id = wanted.workspace_id AND conversation_id = wanted.conversation_id
        AND channel_message_id = wanted.channel_message_id AND mark = wanted.mark
    LIMIT 1
) AS found
"""
STORE = """
INSERT INTO message_mark (
    workspace_id, conversation_id, channel_message_id, mark, value, number, marked_at)
SELECT workspace_id, conversation_id, channel_message_id, mark, value, number, marked_at
FROM json_to_recordset($1::json) AS made (
    workspace_id text, conversation_id uuid, channel_message_id text, mark text, value text, number int,
    marked_at timestamptz)
ON CONFLICT (workspace_id, conversation_id, channel_message_id, mark) DO UPDATE SET
    value = excluded.value, number = excluded.number, marked_at = excluded.marked_at
"""


class Place(NamedTuple):
    """Which mark of which message (as the channel calls it)."""

    workspace: str
    conversation: str
    of: str
    mark: Mark


class Said(NamedTuple):
    """What a mark says. `number`: of the edit; 0 for reactions."""

    value: str | None
    number: int
    at_ms: int = 0


Marks = dict[Place, Said]


def place_of(value: Reaction | Edit, workspace: str, conversation: str) -> Place:
    """Which mark of which message it sets."""
    if isinstance(value, Edit):
        return Place(workspace, conversation, value.of, "edit")
    by_customer = value.by == "customer"
    return Place(workspace, conversation, value.of, "customer_reaction" if by_customer else "page_reaction")


def is_news(known: Said | None, said: Said) -> bool:
    """Whether `said` changes what is known: an edit of a lower number comes too late."""
    if known is None:
        return said.value is not None
    if said.number or known.number:
        return said.number > known.number
    return said.value != known.value


async def load(connection: Connection, places: Collection[Place]) -> Marks:
    """Those of `places` that messages have."""
    if not places:
        return {}
    workspaces = {place.conversation: place.workspace for place in places}
    rows = await connection.fetch(LOAD, *map(list, zip(*places, strict=True)))
    return {_place(row, workspaces): Said(row["value"], row["number"]) for row in rows}


async def store(connection: Connection, marks: Iterable[tuple[Place, Said]]) -> None:
    """Write marks as they are now, each place once."""
    rows = [
        {
            "workspace_id": place.workspace,
            "conversation_id": place.conversation,
            "channel_message_id": place.of,
            "mark": place.mark,
            "value": said.value,
            "number": said.number,
            "marked_at": time_text(said.at_ms),
        }
        for place, said in marks
    ]
    if rows:
        await connection.execute(STORE, orjson.dumps(rows).decode())


def _place(row: Any, workspaces: dict[str, str]) -> Place:  # noqa: ANN401 - a row
    conversation = str(row["conversation_id"])
    return Place(workspaces[conversation], conversation, row["channel_message_id"], row["mark"])
