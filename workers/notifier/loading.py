"""Loads conversations set-based: four statements for any number of them, one when all are new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.messages import Stored
from workers.notifier.conversation import Conversation, ConversationRef, Heard, RecipientSet
from workers.notifier.seat import Seat
from workers.runtime.handler import Connection

# LATERAL with LIMIT or ORDER BY and OFFSET: descents of the index for each conversation, whatever the planner
# believes of the tables' sizes.
CONVERSATIONS = """
SELECT c.workspace_id, c.conversation_id, c.page_id, c.seq, c.epoch, c.holder, c.standing, c.care, c.audience,
       c.blocked, c.asked, c.followers, c.muted, c.position, c.last_at, c.session, c.in_session,
       coalesce((SELECT max(h.position) FROM notifier_held h
                 WHERE h.workspace_id = c.workspace_id
                   AND h.conversation_id = c.conversation_id), 0) AS held_to
FROM unnest($1::text[], $2::uuid[]) AS k (workspace_id, conversation_id)
CROSS JOIN LATERAL (
    SELECT * FROM notifier_conversation
    WHERE workspace_id = k.workspace_id AND conversation_id = k.conversation_id
    LIMIT 1
) AS c
"""

SEATS = """
SELECT i.workspace_id, i.conversation_id, i.agent_id, i.read_to, i.unread, i.epoch, i.last_position,
       i.updated_at
FROM unnest($1::text[], $2::uuid[], $3::text[]) AS k (workspace_id, conversation_id, agent_id)
CROSS JOIN LATERAL (
    SELECT * FROM inbox
    WHERE workspace_id = k.workspace_id AND agent_id = k.agent_id AND conversation_id = k.conversation_id
    LIMIT 1
) AS i
"""

RECIPIENTS = """
SELECT r.workspace_id, r.conversation_id, r.seq, r.epoch, r.holder, r.after_position, r.agents
FROM unnest($1::text[], $2::uuid[]) AS k (workspace_id, conversation_id)
CROSS JOIN LATERAL (
    SELECT * FROM notifier_recipient
    WHERE workspace_id = k.workspace_id AND conversation_id = k.conversation_id
    ORDER BY seq OFFSET 0
) AS r
ORDER BY r.seq
"""

HELD = """
SELECT h.workspace_id, h.conversation_id, h.event_id, h.event
FROM unnest($1::text[], $2::uuid[]) AS k (workspace_id, conversation_id)
CROSS JOIN LATERAL (
    SELECT * FROM notifier_held
    WHERE workspace_id = k.workspace_id AND conversation_id = k.conversation_id
    ORDER BY position OFFSET 0
) AS h
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
        known.append(conversation)
    if known:
        await _load_seats(connection, found, known)
        await _load_recipients(connection, found, known)
    for conversation in known:
        conversation.stored_count = conversation.count
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
    conversation.page, conversation.seq, conversation.epoch = row["page_id"], row["seq"], row["epoch"]
    conversation.holder, conversation.standing, conversation.care = (
        row["holder"],
        row["standing"],
        row["care"],
    )
    conversation.audience, conversation.blocked = row["audience"], row["blocked"]
    conversation.asked = tuple(row["asked"])
    conversation.followers, conversation.muted = frozenset(row["followers"]), frozenset(row["muted"])
    conversation.position, conversation.last_at = row["position"], row["last_at"]
    conversation.session, conversation.in_session = row["session"], row["in_session"]
    conversation.held_to = conversation.stored_held_to = row["held_to"]


async def _load_seats(
    connection: Connection, found: Mapping[ConversationRef, Conversation], known: Sequence[Conversation]
) -> None:
    """Load the seats of holders and followers. Whoever never had anything counted has none stored."""
    agents: list[tuple[ConversationRef, str]] = []
    for conversation in known:
        live = conversation.followers.union(() if conversation.holder is None else (conversation.holder,))
        conversation.seats = {agent: Seat() for agent in live}
        agents += [(conversation.ref, agent) for agent in live]
    if not agents:
        return
    refs = columns(ref for ref, _ in agents)
    for row in await connection.fetch(SEATS, *refs, [agent for _, agent in agents]):
        seats = found[row["workspace_id"], row["conversation_id"]].seats
        counts = row["read_to"], row["unread"], row["epoch"], row["last_position"]
        seats[row["agent_id"]] = Seat(*counts, row["updated_at"])


async def _load_recipients(
    connection: Connection, found: Mapping[ConversationRef, Conversation], known: Sequence[Conversation]
) -> None:
    for row in await connection.fetch(RECIPIENTS, *columns(each.ref for each in known)):
        sets = found[row["workspace_id"], row["conversation_id"]].sets
        agents = tuple(row["agents"])
        sets.append(RecipientSet(row["seq"], row["epoch"], row["holder"], row["after_position"], agents))
    for conversation in known:
        if conversation.sets:
            conversation.stored_sets = (conversation.sets[0].seq, conversation.sets[-1].seq)
