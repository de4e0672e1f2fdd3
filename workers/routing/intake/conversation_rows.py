"""Rows of `conversation`: read and written many at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.envelope import time_text
from workers.routing.intake import reply_rows, ticket_rows
from workers.routing.intake.conversation import Conversation
from workers.runtime.handler import Connection

# LATERAL with LIMIT: one descent of the index for each, whatever the planner believes of the table's size.
LOAD = """
SELECT found.*, named.channel_name AS customer_name, named.tags
FROM unnest($1::text[], $2::uuid[]) AS wanted (workspace_id, conversation_id)
CROSS JOIN LATERAL (
    SELECT workspace_id, conversation_id, desk_id, lane, key, page_id, position, seq, epoch, standing, holder,
        route_unanswered, session, session_open, session_customer_messages, session_agent_messages, last_at,
        timer_at, answered_at, touched_at, silence_at, silent, blocked, away, offer_rule, replies,
        seen_position, interacted_at, ad_at
    FROM conversation
    WHERE workspace_id = wanted.workspace_id AND conversation_id = wanted.conversation_id
    LIMIT 1
) AS found
CROSS JOIN LATERAL (
    SELECT channel_name, tags FROM customer
    WHERE workspace_id = wanted.workspace_id AND customer_id = wanted.conversation_id
    LIMIT 1
) AS named
"""

# As JSON, which the server reads in less time than a driver takes to write an array of each column.
INSERT = """
INSERT INTO conversation (
    workspace_id, conversation_id, desk_id, lane, key, page_id, position, seq, epoch, standing, holder,
    route_unanswered, session, session_open, session_customer_messages, session_agent_messages, last_at,
    timer_at, answered_at, touched_at, silence_at, silent, blocked, away, offer_rule, replies, seen_position,
    interacted_at, ad_at)
SELECT workspace_id, conversation_id, desk_id, lane, key, page_id, position, seq, epoch, standing, holder,
    route_unanswered, session, session_open, session_customer_messages, session_agent_messages, last_at,
    timer_at, answered_at, touched_at, silence_at, silent IS TRUE, blocked IS TRUE, away IS TRUE, offer_rule,
    coalesce(replies, 0), coalesce(seen_position, 0), interacted_at, ad_at
FROM json_to_recordset($1::json) AS new (
    workspace_id text, conversation_id uuid, desk_id text, lane int, key text, page_id text, position int,
    seq int, epoch int, standing text, holder text, route_unanswered boolean, session int,
    session_open boolean, session_customer_messages int, session_agent_messages int, last_at timestamptz,
    timer_at timestamptz, answered_at timestamptz, touched_at timestamptz, silence_at timestamptz,
    silent boolean, blocked boolean, away boolean, offer_rule text, replies int, seen_position int,
    interacted_at timestamptz, ad_at timestamptz)
"""

# The last conditions always hold. They let the planner expect few rows, so that it uses the index even when
# the plan was made while the table was empty.
UPDATE = """
UPDATE conversation AS stored SET
    position = changed.position, seq = changed.seq, epoch = changed.epoch, standing = changed.standing,
    holder = changed.holder, route_unanswered = changed.route_unanswered, session = changed.session,
    session_open = changed.session_open, session_customer_messages = changed.session_customer_messages,
    session_agent_messages = changed.session_agent_messages, last_at = changed.last_at,
    timer_at = changed.timer_at, answered_at = changed.answered_at, touched_at = changed.touched_at,
    silence_at = changed.silence_at, silent = changed.silent IS TRUE, blocked = changed.blocked IS TRUE,
    away = changed.away IS TRUE,
    offer_rule = changed.offer_rule, replies = coalesce(changed.replies, 0),
    seen_position = coalesce(changed.seen_position, 0),
    interacted_at = changed.interacted_at, ad_at = changed.ad_at
FROM json_to_recordset($1::json) AS changed (
    workspace_id text, conversation_id uuid, position int, seq int, epoch int, standing text, holder text,
    route_unanswered boolean, session int, session_open boolean, session_customer_messages int,
    session_agent_messages int, last_at timestamptz, timer_at timestamptz,
    answered_at timestamptz, touched_at timestamptz, silence_at timestamptz, silent boolean, blocked boolean,
    away boolean, offer_rule text, replies int, seen_position int, interacted_at timestamptz,
    ad_at timestamptz)
WHERE stored.workspace_id = changed.workspace_id AND stored.conversation_id = changed.conversation_id
    AND changed.position >= 0 AND changed.seq >= 0 AND changed.epoch >= 0 AND changed.session >= 0
RETURNING true
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class LostConversationError(Exception):
    """Postgres does not have what this lane believes: another has changed its rows."""


async def load(connection: Connection, names: Collection[tuple[str, str]]) -> list[Conversation]:
    """Those of `names` (workspace and id) that Postgres has."""
    if not names:
        return []
    workspaces, ids = zip(*names, strict=True)
    rows = await connection.fetch(LOAD, workspaces, ids)
    conversations = [_from_row(row) for row in rows]
    waiting = [found for found, row in zip(conversations, rows, strict=True) if row["replies"]]
    await reply_rows.load(connection, waiting)
    await ticket_rows.load_last(connection, conversations)
    return conversations


def rows(conversations: Iterable[Conversation]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Those that are new, for INSERT, and what has changed of the others, for UPDATE."""
    new, changed = [], []
    for conversation in conversations:
        if conversation.is_stored:
            changed.append(_changing(conversation))
        else:
            new.append(_lasting(conversation) | _changing(conversation))
            conversation.is_stored = True
    return new, changed


def _lasting(conversation: Conversation) -> dict[str, Any]:
    return {
        "desk_id": conversation.desk,
        "lane": conversation.lane,
        "key": conversation.key,
        "page_id": conversation.page,
    }


def _changing(conversation: Conversation) -> dict[str, Any]:
    """What can change; what few have is left out where it is not, since each field takes its time."""
    timer_at_ms = conversation.timer_at_ms
    row = {
        "workspace_id": conversation.workspace,
        "conversation_id": conversation.id,
        "position": conversation.position,
        "seq": conversation.seq,
        "epoch": conversation.epoch,
        "standing": conversation.standing,
        "holder": conversation.holder,
        "route_unanswered": conversation.route_unanswered,
        "session": conversation.session,
        "session_open": conversation.session_open,
        "session_customer_messages": conversation.session_customer_messages,
        "session_agent_messages": conversation.session_agent_messages,
        "last_at": time_text(conversation.last_at_ms),
        "timer_at": None if timer_at_ms is None else time_text(timer_at_ms),
    }
    seldom = (
        ("answered_at", conversation.answered_at_ms),
        ("touched_at", conversation.touched_at_ms),
        ("silence_at", conversation.silence_at_ms),
        ("interacted_at", conversation.interacted_at_ms),
        ("ad_at", conversation.ad_at_ms),
    )
    row.update((name, time_text(at_ms)) for name, at_ms in seldom if at_ms is not None)
    marks = (
        ("silent", conversation.silent),
        ("blocked", conversation.blocked),
        ("away", conversation.away),
        ("offer_rule", conversation.offer_rule),
        ("replies", len(conversation.replies)),
        ("seen_position", conversation.seen_position),
    )
    row.update(mark for mark in marks if mark[1])
    return row


def _from_row(row: Mapping[str, Any]) -> Conversation:
    return Conversation(
        workspace=row["workspace_id"],
        desk=row["desk_id"],
        id=str(row["conversation_id"]),
        lane=row["lane"],
        key=row["key"],
        page=row["page_id"],
        position=row["position"],
        seq=row["seq"],
        epoch=row["epoch"],
        standing=row["standing"],
        holder=row["holder"],
        route_unanswered=row["route_unanswered"],
        session=row["session"],
        session_open=row["session_open"],
        session_customer_messages=row["session_customer_messages"],
        session_agent_messages=row["session_agent_messages"],
        last_at_ms=_milliseconds(row["last_at"]),
        interacted_at_ms=_maybe_milliseconds(row["interacted_at"]),
        ad_at_ms=_maybe_milliseconds(row["ad_at"]),
        timer_at_ms=_maybe_milliseconds(row["timer_at"]),
        customer_name=row["customer_name"],
        tags=tuple(row["tags"]),
        answered_at_ms=_maybe_milliseconds(row["answered_at"]),
        touched_at_ms=_maybe_milliseconds(row["touched_at"]),
        silence_at_ms=_maybe_milliseconds(row["silence_at"]),
        silent=row["silent"],
        blocked=row["blocked"],
        away=row["away"],
        offer_rule=row["offer_rule"],
        seen_position=row["seen_position"],
        is_stored=True,
    )


def _maybe_milliseconds(at: datetime | None) -> int | None:
    return None if at is None else _milliseconds(at)


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND
