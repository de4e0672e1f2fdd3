"""Stores what a batch changed, set-based: a fixed number of statements for any number of records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from workers.notifier.conversation import Conversation
from workers.notifier.counters import differences
from workers.notifier.notices import NoticeRow
from workers.runtime.handler import Connection

# The last conditions always hold, here and below. They let the planner expect few rows, so that it uses the
# index even when the plan was made while the table was empty.
DELETE_HELD = """
DELETE FROM notifier_held h
USING unnest($1::text[], $2::uuid[], $3::int[]) AS k (workspace_id, conversation_id, released_to)
WHERE h.workspace_id = k.workspace_id AND h.conversation_id = k.conversation_id
  AND h.position <= k.released_to
  AND k.workspace_id > '' AND k.conversation_id >= '00000000-0000-0000-0000-000000000000'
  AND k.released_to > 0
"""

# One statement, since nearly every batch changes all of it: each round trip less is a wait for a core less,
# and a COPY has two. Lists of agents come as text, for arrays of different lengths fit into no array.
STORE = """
WITH conversations AS (
    INSERT INTO notifier_conversation AS c (
        workspace_id, conversation_id, page_id, lane, seq, epoch, holder, standing, care, audience, blocked,
        asked, followers, muted, position, last_at, session, in_session)
    SELECT k.workspace_id, k.conversation_id, k.page_id, k.lane, k.seq, k.epoch, k.holder, k.standing, k.care,
           k.audience, k.blocked, string_to_array(k.asked, ','), string_to_array(k.followers, ','),
           string_to_array(k.muted, ','), k.position, k.last_at, k.session, k.in_session
    FROM unnest($1::text[], $2::uuid[], $3::text[], $4::int[], $5::int[], $6::int[], $7::text[], $8::text[],
                $9::text[], $10::text[], $11::boolean[], $12::text[], $13::text[], $14::text[], $15::int[],
                $16::timestamptz[], $17::int[], $18::int[])
         AS k (workspace_id, conversation_id, page_id, lane, seq, epoch, holder, standing, care, audience,
               blocked, asked, followers, muted, position, last_at, session, in_session)
    ON CONFLICT (workspace_id, conversation_id) DO UPDATE
    SET seq = excluded.seq, epoch = excluded.epoch, holder = excluded.holder, standing = excluded.standing,
        care = excluded.care, audience = excluded.audience, blocked = excluded.blocked,
        asked = excluded.asked, followers = excluded.followers, muted = excluded.muted,
        position = excluded.position, last_at = excluded.last_at, session = excluded.session,
        in_session = excluded.in_session
), counters AS (
    INSERT INTO inbox_counter AS c (workspace_id, place, page_id, lane, conversations, unread)
    SELECT * FROM unnest($19::text[], $20::text[], $21::text[], $22::int[], $23::int[], $24::int[])
    ON CONFLICT (workspace_id, place, page_id, lane) DO UPDATE
    SET conversations = c.conversations + excluded.conversations, unread = c.unread + excluded.unread
), inboxes AS (
    INSERT INTO inbox AS i (workspace_id, agent_id, conversation_id, page_id, holds, follows, muted, epoch,
                            read_to, unread, last_position, updated_at)
    SELECT * FROM unnest($25::text[], $26::text[], $27::uuid[], $28::text[], $29::boolean[], $30::boolean[],
                         $31::boolean[], $32::int[], $33::int[], $34::int[], $35::int[], $36::timestamptz[])
    ON CONFLICT (workspace_id, agent_id, conversation_id) DO UPDATE
    SET holds = excluded.holds, follows = excluded.follows, muted = excluded.muted, unread = excluded.unread,
        epoch = greatest(i.epoch, excluded.epoch),
        read_to = greatest(i.read_to, excluded.read_to),
        last_position = greatest(i.last_position, excluded.last_position),
        updated_at = greatest(i.updated_at, excluded.updated_at)
), dropped AS (
    DELETE FROM notifier_recipient r
    USING unnest($37::text[], $38::uuid[], $39::int[]) AS k (workspace_id, conversation_id, first_kept)
    WHERE r.workspace_id = k.workspace_id AND r.conversation_id = k.conversation_id AND r.seq < k.first_kept
      AND k.workspace_id > '' AND k.conversation_id >= '00000000-0000-0000-0000-000000000000'
      AND k.first_kept > 0
), recipients AS (
    INSERT INTO notifier_recipient (
        workspace_id, conversation_id, seq, epoch, holder, after_position, agents)
    SELECT k.workspace_id, k.conversation_id, k.seq, k.epoch, k.holder, k.after_position,
           string_to_array(k.agents, ',')
    FROM unnest($40::text[], $41::uuid[], $42::int[], $43::int[], $44::text[], $45::int[], $46::text[])
         AS k (workspace_id, conversation_id, seq, epoch, holder, after_position, agents)
)
INSERT INTO notice (workspace_id, agent_id, notice_id, kind, conversation_id, seq, epoch, position, unread,
                    created_at)
SELECT * FROM unnest($47::text[], $48::text[], $49::uuid[], $50::text[], $51::uuid[], $52::int[], $53::int[],
                     $54::int[], $55::int[], $56::timestamptz[])
"""

_HELD_COLUMNS = ("workspace_id", "conversation_id", "position", "seq", "event_id", "event")


async def store(
    connection: Connection, conversations: Sequence[Conversation], notices: Iterable[NoticeRow | None]
) -> None:
    """Bring the tables to the state of `conversations`, their seats and counters; add the notices."""
    counters = [(*ref, *numbers) for ref, numbers in differences(conversations).items()]
    parts = (
        _columns([_conversation_row(each) for each in conversations], 18),
        _columns(counters, 6),
        _columns([row for each in conversations for row in _inbox_rows(each)], 12),
        _columns([row for each in conversations for row in _dropped_rows(each)], 3),
        _columns([row for each in conversations for row in _recipient_rows(each)], 7),
        _columns([row for row in notices if row is not None], 10),
    )
    if any(columns[0] for columns in parts):
        await connection.execute(STORE, *chain.from_iterable(parts))
    await _store_held(connection, conversations)
    for conversation in conversations:
        _mark_stored(conversation)


async def _store_held(connection: Connection, conversations: Sequence[Conversation]) -> None:
    released = [
        (each.workspace, each.conversation, each.released_to)
        for each in conversations
        if each.stored_held_to and each.released_to
    ]
    if released:
        await connection.execute(DELETE_HELD, *_columns(released, 3))
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
    if added:
        await connection.copy_records_to_table("notifier_held", columns=_HELD_COLUMNS, records=added)


def _columns(rows: Sequence[tuple[object, ...]], count: int) -> list[list[object]]:
    """The `count` columns of `rows`, each as the array that `unnest` takes."""
    return [[row[number] for row in rows] for number in range(count)]


def _conversation_row(each: Conversation) -> tuple[Any, ...]:
    return (
        each.workspace,
        each.conversation,
        each.page,
        each.lane,
        each.seq,
        each.epoch,
        each.holder,
        each.standing,
        each.care,
        each.audience,
        each.blocked,
        ",".join(each.asked),
        ",".join(each.followers),
        ",".join(each.muted),
        each.position,
        each.last_at,
        each.session,
        each.in_session,
    )


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


def _dropped_rows(each: Conversation) -> Iterator[tuple[Any, ...]]:
    if each.sets and each.stored_sets[0] < each.sets[0].seq and each.stored_sets[1] > 0:
        yield each.workspace, each.conversation, each.sets[0].seq


def _recipient_rows(each: Conversation) -> Iterator[tuple[Any, ...]]:
    for seq, epoch, holder, after_position, agents in each.sets:
        if seq > each.stored_sets[1]:
            yield each.workspace, each.conversation, seq, epoch, holder, after_position, ",".join(agents)


def _mark_stored(conversation: Conversation) -> None:
    if conversation.sets:
        conversation.stored_sets = (conversation.sets[0].seq, conversation.sets[-1].seq)
    conversation.stored_held_to = conversation.held_to
    conversation.released_to = 0
    conversation.stored_count = conversation.count
    conversation.seats = dict(conversation.live_seats())
    for seat in conversation.seats.values():
        seat.changed = False
