"""Stores what a batch changed, set-based: a fixed number of statements for any number of records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workers.notifier.conversation import Conversation
from workers.notifier.inbox import InboxChanges
from workers.notifier.notices import Issued
from workers.runtime.handler import Connection

DELETE_RECIPIENTS = """
DELETE FROM notifier_recipient r
USING unnest($1::text[], $2::uuid[], $3::int[]) AS k (workspace_id, conversation_id, first_kept)
WHERE r.workspace_id = k.workspace_id AND r.conversation_id = k.conversation_id AND r.seq < k.first_kept
"""

DELETE_HELD = """
DELETE FROM notifier_held h
USING unnest($1::text[], $2::uuid[], $3::int[]) AS k (workspace_id, conversation_id, released_to)
WHERE h.workspace_id = k.workspace_id AND h.conversation_id = k.conversation_id
  AND h.position <= k.released_to
"""

# One statement, since nearly every batch changes all three: two round trips less.
UPDATE_LISTS = """
WITH conversations AS (
    UPDATE notifier_conversation c
    SET seq = k.seq, epoch = k.epoch, holder = k.holder, position = k.position, counted_to = k.counted_to
    FROM unnest($1::text[], $2::uuid[], $3::int[], $4::int[], $5::text[], $6::int[], $7::int[])
         AS k (workspace_id, conversation_id, seq, epoch, holder, position, counted_to)
    WHERE c.workspace_id = k.workspace_id AND c.conversation_id = k.conversation_id
), counters AS (
    INSERT INTO inbox_counter AS c (workspace_id, agent_id, lane, conversations, unread)
    SELECT * FROM unnest($8::text[], $9::text[], $10::int[], $11::int[], $12::int[])
    ON CONFLICT (workspace_id, agent_id, lane) DO UPDATE
    SET conversations = c.conversations + excluded.conversations, unread = c.unread + excluded.unread
)
INSERT INTO inbox AS i (workspace_id, agent_id, conversation_id, page_id, holds, epoch, unread, last_position,
                        updated_at)
SELECT * FROM unnest($13::text[], $14::text[], $15::uuid[], $16::text[], $17::boolean[], $18::int[],
                     $19::int[], $20::int[], $21::timestamptz[])
ON CONFLICT (workspace_id, agent_id, conversation_id) DO UPDATE
SET holds = excluded.holds, unread = excluded.unread,
    epoch = greatest(i.epoch, excluded.epoch),
    last_position = greatest(i.last_position, excluded.last_position),
    updated_at = greatest(i.updated_at, excluded.updated_at)
"""

_CONVERSATION_COLUMNS = (
    "workspace_id",
    "conversation_id",
    "seq",
    "epoch",
    "holder",
    "position",
    "counted_to",
)
_RECIPIENT_COLUMNS = ("workspace_id", "conversation_id", "seq", "epoch", "holder", "after_position")
_HELD_COLUMNS = ("workspace_id", "conversation_id", "position", "seq", "event_id", "event")
_NOTICE_COLUMNS = (
    "workspace_id",
    "agent_id",
    "notice_id",
    "kind",
    "conversation_id",
    "seq",
    "epoch",
    "position",
    "unread",
    "created_at",
)


async def store(
    connection: Connection,
    conversations: Sequence[Conversation],
    changes: InboxChanges,
    issued: Iterable[Issued],
) -> None:
    """Bring the tables to the state of `conversations`, their inbox rows and their notices."""
    await _store_lists(connection, conversations, changes)
    await _store_recipients(connection, conversations)
    await _store_held(connection, conversations)
    await _copy(connection, "notice", _NOTICE_COLUMNS, [_notice_row(each) for each in issued])
    for conversation in conversations:
        _mark_stored(conversation)


async def _store_lists(
    connection: Connection, conversations: Sequence[Conversation], changes: InboxChanges
) -> None:
    new = [_conversation_row(each) for each in conversations if each.is_new]
    await _copy(connection, "notifier_conversation", _CONVERSATION_COLUMNS, new)
    known = [_conversation_row(each) for each in conversations if not each.is_new]
    counters = [
        (*ref, difference.conversations, difference.unread)
        for ref, difference in changes.counters.items()
        if difference.conversations or difference.unread
    ]
    inbox = [
        (*ref, row.page, row.holds, row.epoch, row.unread, row.last_position, row.at)
        for ref, row in changes.rows.items()
    ]
    if known or counters or inbox:
        arguments = (*_columns(known, 7), *_columns(counters, 5), *_columns(inbox, 9))
        await connection.execute(UPDATE_LISTS, *arguments)


async def _store_recipients(connection: Connection, conversations: Sequence[Conversation]) -> None:
    dropped = [
        (each.workspace, each.conversation, each.sets[0].seq)
        for each in conversations
        if each.sets and each.stored_sets[0] < each.sets[0].seq and each.stored_sets[1] > 0
    ]
    await _execute(connection, DELETE_RECIPIENTS, dropped)
    added = [
        (each.workspace, each.conversation, *recipients)
        for each in conversations
        for recipients in each.sets
        if recipients.seq > each.stored_sets[1]
    ]
    await _copy(connection, "notifier_recipient", _RECIPIENT_COLUMNS, added)


async def _store_held(connection: Connection, conversations: Sequence[Conversation]) -> None:
    released = [
        (each.workspace, each.conversation, each.released_to)
        for each in conversations
        if each.stored_held_to and each.released_to
    ]
    await _execute(connection, DELETE_HELD, released)
    added = [
        (
            each.workspace,
            each.conversation,
            heard.message.position,
            heard.message.seq,
            heard.id,
            heard.value.decode(),
        )
        for each in conversations
        for heard in each.held
        if heard.message.position > each.stored_held_to
    ]
    await _copy(connection, "notifier_held", _HELD_COLUMNS, added)


async def _execute(connection: Connection, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Run `sql` once over all rows, each column an array; not at all without rows."""
    if rows:
        await connection.execute(sql, *_columns(rows, len(rows[0])))


def _columns(rows: Sequence[tuple[object, ...]], count: int) -> list[list[object]]:
    """The `count` columns of `rows`, each as the array that `unnest` takes."""
    return [[row[number] for row in rows] for number in range(count)]


async def _copy(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
) -> None:
    if rows:
        await connection.copy_records_to_table(table, columns=columns, records=rows)


def _conversation_row(each: Conversation) -> tuple[object, ...]:
    return (
        each.workspace,
        each.conversation,
        each.seq,
        each.epoch,
        each.holder,
        each.position,
        each.counted_to,
    )


def _notice_row(issued: Issued) -> tuple[object, ...]:
    return (
        issued.workspace,
        issued.agent,
        issued.notice,
        issued.kind.what,
        issued.conversation,
        issued.seq,
        issued.epoch,
        issued.position,
        issued.unread,
        issued.at,
    )


def _mark_stored(conversation: Conversation) -> None:
    conversation.is_new = False
    if conversation.sets:
        conversation.stored_sets = (conversation.sets[0].seq, conversation.sets[-1].seq)
    conversation.stored_held_to = conversation.held_to
    conversation.released_to = 0
