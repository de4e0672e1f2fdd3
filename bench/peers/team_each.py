"""A message's transaction as a Python team would write it with asyncpg: a handful of statements each."""

from __future__ import annotations

from uuid import uuid4

from asyncpg import UniqueViolationError

from bench.peers import values
from bench.peers.rows import COLUMNS, conversation_row, insert, message_row, opening_rows, seen_row
from bench.peers.values import Facts, Letter
from bench.roster import DESK, RULE, WORKSPACE
from workers.runtime.handler import Connection

_PLACE = (
    insert("conversation")
    + """
ON CONFLICT (workspace_id, conversation_id) DO UPDATE SET
    position = conversation.position + 1,
    session_customer_messages = conversation.session_customer_messages + 1,
    last_at = excluded.last_at
RETURNING position
"""
)
# The row's lock makes turns exact however many workers ask.
_TAKE_TURN = """
UPDATE desk_rule
   SET cursor = ring[coalesce(array_position(ring, cursor), 0) % cardinality(ring) + 1]
 WHERE workspace_id = $1 AND desk_id = $2 AND rule_id = $3
RETURNING cursor
"""
_HOLD = """
UPDATE conversation SET standing = 'held', holder = $3, seq = 1, epoch = 1
 WHERE workspace_id = $1 AND conversation_id = $2
"""
_INSERT = {table: insert(table) for table in COLUMNS}


async def store(connection: Connection, facts: Facts) -> list[Letter]:
    """Store one message and give a new conversation its agent, in one transaction; what to publish then."""
    try:
        async with connection.transaction():
            return await _store(connection, facts)
    except UniqueViolationError:
        return []  # a duplicate: its position is rolled back with the rest


async def _store(connection: Connection, facts: Facts) -> list[Letter]:
    conversation, message = facts.conversation, facts.message
    row = conversation_row(facts, conversation, 1, None)
    position = await connection.fetchval(_PLACE, *row)
    await connection.execute(_INSERT["message_seen"], *seen_row(facts, conversation, message, position))
    await connection.execute(_INSERT["message"], *message_row(facts, conversation, message, position))
    letters = [values.stored(facts, conversation, message, position)]
    if position == 1:
        letters.append(await _assign(connection, facts))
    return letters


async def _assign(connection: Connection, facts: Facts) -> Letter:
    conversation, event = facts.conversation, uuid4()
    agent = await connection.fetchval(_TAKE_TURN, WORKSPACE, DESK, RULE)
    await connection.execute(_HOLD, WORKSPACE, conversation, agent)
    for table, row in opening_rows(facts, conversation, agent, event).items():
        await connection.execute(_INSERT[table], *row)
    return values.assigned(facts, conversation, agent, event)
