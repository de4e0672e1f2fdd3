"""The rows that a message leaves in our tables, for peers that write them with a driver."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from bench.peers.values import Facts
from bench.roster import DESK, WORKSPACE
from schemas.envelope import moment

Row = tuple[Any, ...]

COLUMNS: dict[str, tuple[str, ...]] = {
    "message_seen": ("workspace_id", "message_id", "conversation_id", "position", "stored_at"),
    "message": (
        *("workspace_id", "conversation_id", "position", "message_id", "session", "sender", "kind", "body"),
        *("page_id", "channel_message_id", "sent_at", "clock_ahead", "stored_at", "seq"),
    ),
    "conversation": (
        *("workspace_id", "conversation_id", "desk_id", "lane", "key", "page_id", "position", "seq", "epoch"),
        *("standing", "holder", "route_unanswered", "session", "session_open"),
        *("session_customer_messages", "session_agent_messages", "last_at"),
    ),
    "customer": ("workspace_id", "customer_id", "page_id", "user_id", "channel_name", "created_at"),
    "session": ("workspace_id", "conversation_id", "session", "opened_at", "first_position"),
    "desk_conversation": (
        *("workspace_id", "conversation_id", "desk_id", "key", "page_id", "seq", "last_event_id", "epoch"),
        *("round", "care", "standing", "holder", "session", "session_open", "after_position"),
    ),
}


def insert(table: str) -> str:
    """The statement that inserts one row."""
    columns = COLUMNS[table]
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608  our own names


def seen_row(facts: Facts, conversation: UUID, message: UUID, position: int) -> Row:
    """Of `message_seen`."""
    return WORKSPACE, message, conversation, position, moment(facts.at_ms)


def message_row(facts: Facts, conversation: UUID, message: UUID, position: int) -> Row:
    """Of `message`."""
    return (
        *(WORKSPACE, conversation, position, message, 1, "customer", "text", facts.text),
        *(facts.page, facts.channel_message_id, moment(facts.sent_at_ms), False, moment(facts.at_ms), 0),
    )


def conversation_row(facts: Facts, conversation: UUID, position: int, agent: str | None) -> Row:
    """Of `conversation`; without an agent it is not yet held."""
    standing, chain = ("idle", 0) if agent is None else ("held", 1)
    return (
        *(WORKSPACE, conversation, DESK, facts.lane, facts.key, facts.page, position, chain, chain),
        *(standing, agent, False, 1, True),
        *(position, 0, moment(facts.at_ms)),
    )


def opening_rows(facts: Facts, conversation: UUID, agent: str, event: UUID) -> dict[str, Row]:
    """What a conversation's first message leaves beside it, by table."""
    at = moment(facts.at_ms)
    return {
        "customer": (WORKSPACE, conversation, facts.page, facts.user, facts.name, at),
        "session": (WORKSPACE, conversation, 1, at, 1),
        "desk_conversation": (
            *(WORKSPACE, conversation, DESK, facts.key, facts.page, 1, event, 1),
            *(1, "accepted", "held", agent, 1, True, 1),
        ),
    }
