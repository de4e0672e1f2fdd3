"""A batch's transaction as a Python team would write it: reads at once, writes by `executemany`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID, uuid4

from bench.peers import values
from bench.peers.rows import COLUMNS, Row, conversation_row, insert, message_row, opening_rows, seen_row
from bench.peers.values import Facts, Letter
from bench.roster import DESK, RULE, WORKSPACE
from workers.runtime.handler import Connection

_SEEN = "SELECT message_id FROM message_seen WHERE workspace_id = $1 AND message_id = ANY($2::uuid[])"
_PLACES = """
SELECT conversation_id, position, holder FROM conversation
 WHERE workspace_id = $1 AND conversation_id = ANY($2::uuid[]) FOR UPDATE
"""
_MOVE = (
    insert("conversation")
    + """
ON CONFLICT (workspace_id, conversation_id) DO UPDATE SET
    position = excluded.position,
    session_customer_messages = excluded.session_customer_messages,
    last_at = excluded.last_at
"""
)
_RING = """
SELECT ring, coalesce(array_position(ring, cursor), 0) AS turn FROM desk_rule
 WHERE workspace_id = $1 AND desk_id = $2 AND rule_id = $3 FOR UPDATE
"""
_SET_CURSOR = "UPDATE desk_rule SET cursor = $4 WHERE workspace_id = $1 AND desk_id = $2 AND rule_id = $3"
_INSERT = {table: insert(table) for table in COLUMNS} | {"conversation": _MOVE}


class Placed(NamedTuple):
    """A conversation's last position and its agent."""

    position: int
    agent: str


class Rotation:
    """Whose turn it is, as far as this transaction has given turns."""

    def __init__(self, ring: Sequence[str], turn: int) -> None:
        self._ring = ring
        self._turn = turn
        self.cursor: str | None = None

    def take(self) -> str:
        self.cursor = self._ring[self._turn % len(self._ring)]
        self._turn += 1
        return self.cursor


async def store(connection: Connection, all_facts: Sequence[Facts]) -> list[Letter]:
    """Store these messages and give new conversations their agents, in one transaction; what to publish."""
    async with connection.transaction():
        fresh = await _fresh(connection, all_facts)
        ids = list({facts.conversation for facts in fresh.values()})
        rows = await connection.fetch(_PLACES, WORKSPACE, ids)
        known = {row["conversation_id"]: Placed(row["position"], row["holder"]) for row in rows}
        ring = await connection.fetchrow(_RING, WORKSPACE, DESK, RULE)
        rotation = Rotation(ring["ring"], ring["turn"])
        letters, rows_of = _place(fresh, known, rotation)
        for table, table_rows in rows_of.items():
            await connection.executemany(_INSERT[table], table_rows)
        if rotation.cursor is not None:
            await connection.execute(_SET_CURSOR, WORKSPACE, DESK, RULE, rotation.cursor)
    return letters


async def _fresh(connection: Connection, all_facts: Sequence[Facts]) -> dict[UUID, Facts]:
    """Those that nobody has stored, once each, by message id."""
    by_id = {facts.message: facts for facts in all_facts}
    seen = await connection.fetch(_SEEN, WORKSPACE, list(by_id))
    for row in seen:
        del by_id[row["message_id"]]
    return by_id


def _place(
    fresh: dict[UUID, Facts], known: dict[UUID, Placed], rotation: Rotation
) -> tuple[list[Letter], dict[str, list[Row]]]:
    letters: list[Letter] = []
    rows: dict[str, list[Row]] = {table: [] for table in COLUMNS if table != "conversation"}
    last: dict[UUID, Facts] = {}
    for message, facts in fresh.items():
        conversation = facts.conversation
        before = known.get(conversation)
        if before is None:
            agent, event = rotation.take(), uuid4()
            before = Placed(0, agent)
            for table, row in opening_rows(facts, conversation, agent, event).items():
                rows[table].append(row)
            letters.append(values.assigned(facts, conversation, agent, event))
        known[conversation] = Placed(before.position + 1, before.agent)
        last[conversation] = facts
        position = before.position + 1
        rows["message_seen"].append(seen_row(facts, conversation, message, position))
        rows["message"].append(message_row(facts, conversation, message, position))
        letters.append(values.stored(facts, conversation, message, position))
    rows["conversation"] = [
        conversation_row(facts, conversation, known[conversation].position, known[conversation].agent)
        for conversation, facts in last.items()
    ]
    return letters, rows
