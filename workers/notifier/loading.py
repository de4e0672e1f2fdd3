"""Loads conversations set-based: three statements for any number of them, one when all are new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.messages import Stored
from workers.notifier.conversation import Conversation, ConversationRef, Heard, RecipientSet
from workers.runtime.handler import Connection

CONVERSATIONS = """
SELECT c.workspace_id, c.conversation_id, c.seq, c.epoch, c.holder, c.position, c.counted_to,
       coalesce(i.unread, 0) AS unread,
       coalesce((SELECT max(h.position) FROM notifier_held h
                 WHERE h.workspace_id = c.workspace_id
                   AND h.conversation_id = c.conversation_id), 0) AS held_to
FROM unnest($1::text[], $2::uuid[]) AS k (workspace_id, conversation_id)
JOIN notifier_conversation c ON c.workspace_id = k.workspace_id AND c.conversation_id = k.conversation_id
LEFT JOIN inbox i ON i.workspace_id = c.workspace_id AND i.agent_id = c.holder
                 AND i.conversation_id = c.conversation_id
"""

RECIPIENTS = """
SELECT r.workspace_id, r.conversation_id, r.seq, r.epoch, r.holder, r.after_position
FROM unnest($1::text[], $2::uuid[]) AS k (workspace_id, conversation_id)
JOIN notifier_recipient r ON r.workspace_id = k.workspace_id AND r.conversation_id = k.conversation_id
ORDER BY r.seq
"""

HELD = """
SELECT h.workspace_id, h.conversation_id, h.event_id, h.event
FROM unnest($1::text[], $2::uuid[]) AS k (workspace_id, conversation_id)
JOIN notifier_held h ON h.workspace_id = k.workspace_id AND h.conversation_id = k.conversation_id
ORDER BY h.position
"""


async def load(
    connection: Connection, lanes: Mapping[ConversationRef, int]
) -> dict[ConversationRef, Conversation]:
    """The conversations named, each with its lane; those unknown so far are new."""
    found = {ref: Conversation(*ref, lane) for ref, lane in lanes.items()}
    known = []
    for row in await connection.fetch(CONVERSATIONS, *columns(lanes)):
        conversation = found[row["workspace_id"], row["conversation_id"]]
        _fill(conversation, row)
        known.append(conversation.ref)
    if known:
        await _load_recipients(connection, found, known)
    return found


async def load_held(connection: Connection, conversations: Iterable[Conversation]) -> None:
    """Load the messages that these conversations hold, for an event may release them."""
    holding = {conversation.ref: conversation for conversation in conversations if conversation.held_to}
    if not holding:
        return
    for row in await connection.fetch(HELD, *columns(holding)):
        value = row["event"].encode()
        heard = Heard(row["event_id"], Stored.model_validate_json(value), value)
        holding[row["workspace_id"], row["conversation_id"]].held.append(heard)


def columns(refs: Iterable[ConversationRef]) -> tuple[list[str], list[Any]]:
    """The refs as two arrays, for `unnest`."""
    pairs = list(refs)
    return [workspace for workspace, _ in pairs], [conversation for _, conversation in pairs]


def _fill(conversation: Conversation, row: Mapping[str, Any]) -> None:
    conversation.is_new = False
    conversation.seq, conversation.epoch, conversation.holder = row["seq"], row["epoch"], row["holder"]
    conversation.position, conversation.counted_to = row["position"], row["counted_to"]
    conversation.unread = row["unread"]
    conversation.held_to = conversation.stored_held_to = row["held_to"]


async def _load_recipients(
    connection: Connection, found: Mapping[ConversationRef, Conversation], known: Sequence[ConversationRef]
) -> None:
    for row in await connection.fetch(RECIPIENTS, *columns(known)):
        sets = found[row["workspace_id"], row["conversation_id"]].sets
        sets.append(RecipientSet(row["seq"], row["epoch"], row["holder"], row["after_position"]))
    for ref in known:
        sets = found[ref].sets
        if sets:
            found[ref].stored_sets = (sets[0].seq, sets[-1].seq)
