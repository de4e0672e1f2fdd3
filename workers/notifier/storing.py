"""Stores what a batch changed, set-based: a fixed number of statements for any number of records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from workers.notifier.conversation import Conversation
from workers.notifier.counters import differences
from workers.notifier.notices import NoticeRow
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

# One statement, since nearly every batch changes all three: two round trips less. Lists of agents come as
# text, for arrays of different lengths fit into no array.
UPDATE_LISTS = """
WITH conversations AS (
    UPDATE notifier_conversation c
    SET seq = k.seq, epoch = k.epoch, holder = k.holder, standing = k.standing, care = k.care,
        audience = k.audience, blocked = k.blocked, asked = string_to_array(k.asked, ','),
        followers = string_to_array(k.followers, ','), muted = string_to_array(k.muted, ','),
        position = k.position, last_at = k.last_at, session = k.session,
        in_session = k.in_session
    FROM unnest($1::text[], $2::uuid[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::boolean[], $10::text[], $11::text[], $12::text[], $13::int[], $14::timestamptz[],
                $15::int[], $16::int[])
         AS k (workspace_id, conversation_id, seq, epoch, holder, standing, care, audience,
               blocked, asked, followers, muted, position, last_at, session, in_session)
    WHERE c.workspace_id = k.workspace_id AND c.conversation_id = k.conversation_id
), counters AS (
    INSERT INTO inbox_counter AS c (workspace_id, place, page_id, lane, conversations, unread)
    SELECT * FROM unnest($17::text[], $18::text[], $19::text[], $20::int[], $21::int[], $22::int[])
    ON CONFLICT (workspace_id, place, page_id, lane) DO UPDATE
    SET conversations = c.conversations + excluded.conversations, unread = c.unread + excluded.unread
)
INSERT INTO inbox AS i (workspace_id, agent_id, conversation_id, page_id, holds, follows, muted, epoch,
                        read_to, unread, last_position, updated_at)
SELECT * FROM unnest($23::text[], $24::text[], $25::uuid[], $26::text[], $27::boolean[], $28::boolean[],
                     $29::boolean[], $30::int[], $31::int[], $32::int[], $33::int[], $34::timestamptz[])
ON CONFLICT (workspace_id, agent_id, conversation_id) DO UPDATE
SET holds = excluded.holds, follows = excluded.follows, muted = excluded.muted, unread = excluded.unread,
    epoch = greatest(i.epoch, excluded.epoch),
    read_to = greatest(i.read_to, excluded.read_to),
    last_position = greatest(i.last_position, excluded.last_position),
    updated_at = greatest(i.updated_at, excluded.updated_at)
"""

_CONVERSATION_COLUMNS = (
    "workspace_id",
    "conversation_id",
    "seq",
    "epoch",
    "holder",
    "standing",
    "care",
    "audience",
    "blocked",
    "asked",
    "followers",
    "muted",
    "position",
    "last_at",
    "session",
    "in_session",
)
_RECIPIENT_COLUMNS = (
    "workspace_id",
    "conversation_id",
    "seq",
    "epoch",
    "holder",
    "after_position",
    "agents",
)
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
    connection: Connection, conversations: Sequence[Conversation], notices: Iterable[NoticeRow | None]
) -> None:
    """Bring the tables to the state of `conversations`, their seats and counters; add the notices."""
    await _store_lists(connection, conversations)
    await _store_recipients(connection, conversations)
    await _store_held(connection, conversations)
    await _copy(connection, "notice", _NOTICE_COLUMNS, [row for row in notices if row is not None])
    for conversation in conversations:
        _mark_stored(conversation)


async def _store_lists(connection: Connection, conversations: Sequence[Conversation]) -> None:
    new = [(*_conversation_row(each), each.page, each.lane) for each in conversations if each.is_new]
    await _copy(connection, "notifier_conversation", (*_CONVERSATION_COLUMNS, "page_id", "lane"), new)
    known = [_updated_row(each) for each in conversations if not each.is_new]
    counters = [(*ref, *numbers) for ref, numbers in differences(conversations).items()]
    inbox = [row for each in conversations for row in _inbox_rows(each)]
    if known or counters or inbox:
        arguments = (*_columns(known, 16), *_columns(counters, 6), *_columns(inbox, 12))
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


def _conversation_row(each: Conversation) -> tuple[Any, ...]:
    return (
        each.workspace,
        each.conversation,
        each.seq,
        each.epoch,
        each.holder,
        each.standing,
        each.care,
        each.audience,
        each.blocked,
        each.asked,
        each.followers,
        each.muted,
        each.position,
        each.last_at,
        each.session,
        each.in_session,
    )


def _updated_row(each: Conversation) -> tuple[Any, ...]:
    row = _conversation_row(each)
    return (*row[:9], *(",".join(agents) for agents in row[9:12]), *row[12:])


def _inbox_rows(each: Conversation) -> Iterator[tuple[Any, ...]]:
    for agent, seat in each.seats.items():
        if seat.changed:
            yield (
                each.workspace,
                agent,
                each.conversation,
                each.page,
                agent == each.holder,
                agent in each.followers,
                agent in each.muted,
                seat.epoch,
                seat.read_to,
                seat.unread,
                seat.last_position,
                seat.at,
            )


def _mark_stored(conversation: Conversation) -> None:
    conversation.is_new = False
    if conversation.sets:
        conversation.stored_sets = (conversation.sets[0].seq, conversation.sets[-1].seq)
    conversation.stored_held_to = conversation.held_to
    conversation.released_to = 0
    conversation.stored_count = conversation.count
    conversation.seats = dict(conversation.live_seats())
    for seat in conversation.seats.values():
        seat.changed = False
