"""Rows of the tables that are checked, and the SQL that reads them in the order that the checks rely on."""

from __future__ import annotations

from typing import NamedTuple


class PageRow(NamedTuple):
    """Which workspace a page belongs to, and since when (milliseconds since 1970)."""

    page: str
    workspace: str
    desk: str
    reserved_at_ms: int


class MessageRow(NamedTuple):
    """A line of a transcript; by conversation, then by position. JSON columns come as text."""

    workspace: str
    conversation: str
    position: int
    message: str
    session: int
    sender: str
    sender_id: str | None
    kind: str
    body: str | None
    attachments: str | None
    code: str | None
    params: str | None
    page: str
    channel_message_id: str | None
    sent_at_ms: int | None
    clock_ahead: bool
    history: bool
    blocked: bool
    stored_at_ms: int
    seq: int


class ConversationRow(NamedTuple):
    """What intake knows of a conversation."""

    workspace: str
    conversation: str
    desk: str
    lane: int
    key: str
    page: str
    position: int
    seq: int
    epoch: int
    standing: str
    holder: str | None
    route_unanswered: bool
    session: int
    session_open: bool


class SessionRow(NamedTuple):
    """A session that intake has opened."""

    workspace: str
    conversation: str
    session: int
    ended: bool


class TicketRow(NamedTuple):
    """A ticket; by conversation, then by number. `fields` is JSON text."""

    conversation: str
    number: int
    status: str
    subject: str
    fields: str
    agent: str | None


class DeskConversationRow(NamedTuple):
    """What the desk has made of its events. Times are milliseconds since 1970, JSON comes as text."""

    workspace: str
    conversation: str
    desk: str
    key: str
    page: str
    seq: int
    last_event_id: str | None
    epoch: int
    round: int
    care: str
    standing: str
    holder: str | None
    session: int
    session_open: bool
    after_position: int
    rule: str | None
    queued_at: int | None
    queued_offset: int | None
    priority: int
    facts: str | None
    reason: str | None
    outcome: str | None
    declined: list[str]
    audience: str | None
    ring: int
    offer_expires_at: int | None
    transfer: str | None
    followers: list[str]
    muted: list[str]
    held_since: int | None
    taken_from: str | None
    last_holder: str | None
    last_held_at: int | None
    blocked: bool
    blocked_until: int | None
    blocked_at: int | None
    blocked_by: str | None
    blocked_reason: str | None
    silent: bool
    absent_until: int | None
    quiet_until: int | None
    orders: str
    admin_followers: list[str]


class DefinitionRow(NamedTuple):
    """What a desk consists of: agents, departments, pages, rules, its policy, and where agents are.

    `definition` is JSON text.
    """

    what: str
    workspace: str
    desk: str
    id: str
    definition: str
    version: int
    active: bool


class NotifierRow(NamedTuple):
    """How far the notifier has followed a conversation."""

    workspace: str
    conversation: str
    seq: int
    epoch: int
    holder: str | None
    position: int


class HeldRow(NamedTuple):
    """A message event that waits for its chain number."""

    workspace: str
    conversation: str
    position: int


class NoticeRow(NamedTuple):
    """A notice to an agent."""

    workspace: str
    agent: str
    notice: str
    kind: str
    conversation: str
    seq: int
    epoch: int
    position: int
    unread: int


class InboxRow(NamedTuple):
    """A conversation in an agent's list."""

    workspace: str
    agent: str
    conversation: str
    holds: bool
    follows: bool
    muted: bool
    epoch: int
    unread: int


class CounterRow(NamedTuple):
    """How many conversations stand in one place of a page, of one lane."""

    workspace: str
    place: str
    page: str
    lane: int
    conversations: int
    unread: int


class DeliveryRow(NamedTuple):
    """How an answer stands on its way to its channel."""

    message: str
    conversation: str
    position: int
    state: str
    reason: str | None
    parts: int
    ids: list[str]
    version: int


class LaneRow(NamedTuple):
    """What has been processed of a lane. `next_offsets` is JSON text."""

    kind: str
    id: int
    batch_no: int
    next_offsets: str
    owner: str | None
    stopped: str | None


class PendingRow(NamedTuple):
    """A batch that is stored and perhaps not published."""

    kind: str
    lane: int
    batch_no: int


_MS = "(extract(epoch FROM {}) * 1000)::bigint"

_DEFINITIONS = " UNION ALL ".join(
    f"SELECT '{what}', workspace_id, desk_id, {what}_id, definition::text, version, active FROM desk_{what}"  # noqa: S608
    for what in ("agent", "department", "page", "rule")
)
_OF_DESK = """
    SELECT 'policy', workspace_id, desk_id, '', definition::text, version, true FROM desk_policy
    UNION ALL
    SELECT 'presence', workspace_id, desk_id, agent_id,
           jsonb_build_object('presence', presence, 'gateways', gateways)::text, version, true
      FROM desk_presence"""

QUERIES: dict[type, str] = {
    PageRow: f"SELECT page_id, workspace_id, desk_id, {_MS.format('reserved_at')} FROM page_registry",  # noqa: S608
    MessageRow: f"""
        SELECT workspace_id, conversation_id::text, position, message_id::text, session, sender, sender_id,
               kind, body, attachments::text, code, params::text, page_id, channel_message_id,
               {_MS.format("sent_at")}, clock_ahead, history, blocked, {_MS.format("stored_at")}, seq
          FROM message ORDER BY workspace_id, conversation_id, position""",  # noqa: S608
    ConversationRow: """
        SELECT workspace_id, conversation_id::text, desk_id, lane, key, page_id, position, seq, epoch,
               standing, holder, route_unanswered, session, session_open FROM conversation""",
    SessionRow: "SELECT workspace_id, conversation_id::text, session, ended_at IS NOT NULL FROM session",
    TicketRow: """
        SELECT conversation_id::text, number, status, subject, fields::text, agent_id
          FROM ticket ORDER BY workspace_id, conversation_id, number""",
    DeskConversationRow: f"""
        SELECT workspace_id, conversation_id::text, desk_id, key, page_id, seq, last_event_id::text, epoch,
               round, care, standing, holder, session, session_open, after_position, rule_id,
               {_MS.format("queued_at")}, queued_offset, priority, facts::text, reason, outcome, declined,
               audience, ring, {_MS.format("offer_expires_at")}, transfer::text, followers, muted,
               {_MS.format("held_since")}, taken_from, last_holder, {_MS.format("last_held_at")}, blocked,
               {_MS.format("blocked_until")}, {_MS.format("blocked_at")}, blocked_by, blocked_reason,
               silent, {_MS.format("absent_until")},
               {_MS.format("quiet_until")}, orders::text, admin_followers
          FROM desk_conversation""",  # noqa: S608
    DefinitionRow: f"{_DEFINITIONS} UNION ALL {_OF_DESK}",
    NotifierRow: """
        SELECT workspace_id, conversation_id::text, seq, epoch, holder, position
          FROM notifier_conversation""",
    HeldRow: "SELECT workspace_id, conversation_id::text, position FROM notifier_held",
    NoticeRow: """
        SELECT workspace_id, agent_id, notice_id::text, kind, conversation_id::text, seq, epoch, position,
               unread FROM notice""",
    InboxRow: """
        SELECT workspace_id, agent_id, conversation_id::text, holds, follows, muted, epoch, unread
          FROM inbox""",
    CounterRow: "SELECT workspace_id, place, page_id, lane, conversations, unread FROM inbox_counter",
    DeliveryRow: """
        SELECT message_id::text, conversation_id::text, position, state, reason, parts, ids, version
          FROM delivery""",
    LaneRow: "SELECT kind, id, batch_no, next_offsets::text, owner, stopped FROM lane",
    PendingRow: "SELECT kind, lane, batch_no FROM pending",
}
