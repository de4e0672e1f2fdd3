"""Conversations as Postgres has them now, and how somebody stands to them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from workers.gateway.rights import AgentRelation, Relation
from workers.gateway.roster import NOBODY, Roster
from workers.runtime.handler import Connection

# Never cached: who has just been told that a conversation is his may act on it at once.
READ = """
SELECT conversation_id, conversation.key, conversation.desk_id, conversation.page_id, desk.holder,
    desk.audience, desk.followers, desk.transfer
FROM conversation LEFT JOIN desk_conversation AS desk USING (workspace_id, conversation_id)
WHERE workspace_id = $1 AND conversation_id = ANY ($2::uuid[])
"""


class Conversation(NamedTuple):
    """What rights depend on."""

    id: UUID
    key: str
    desk: str
    page: str
    holder: str | None = None
    audience: str | None = None
    """To whom it is offered."""
    followers: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    """To whom a transfer is offered by name."""
    asked_department: str | None = None
    """All of which may take it over, whoever was online when it was offered, but those who rejected it."""
    rejected: frozenset[str] = frozenset()


async def read_conversations(
    connection: Connection, workspace: str, ids: Collection[UUID]
) -> dict[UUID, Conversation]:
    """Those of `ids` that the workspace has."""
    rows = await connection.fetch(READ, workspace, list(ids))
    return {
        row["conversation_id"]: Conversation(
            row["conversation_id"],
            row["key"],
            row["desk_id"],
            row["page_id"],
            row["holder"],
            row["audience"],
            frozenset(row["followers"] or ()),
            **_asked(row["transfer"]),
        )
        for row in rows
    }


def relations(agent: str | None, conversation: Conversation, roster: Roster) -> frozenset[Relation]:
    """How `agent` stands to `conversation`: a service (none), and who is of no desk, in no relation."""
    if agent not in roster.desk_of:
        return frozenset()
    audience = roster.audience(conversation.audience or "", conversation.page)
    found: dict[Relation, bool] = {
        "holder": agent == conversation.holder,
        "asked": _is_asked(agent, conversation, roster),
        "offered": agent in audience,
        "follower": agent in conversation.followers,
        "administrator": agent in roster.admins.get(conversation.page, ()),
        "member": agent in roster.works_for(conversation.page),
        "deskmate": roster.desk_of[agent] == conversation.desk,
    }
    return frozenset(relation for relation, holds in found.items() if holds)


def agent_relations(agent: str | None, other: str, roster: Roster) -> frozenset[AgentRelation]:
    """How `agent` stands to the agent `other`: who is of no desk, in no relation."""
    if agent not in roster.desk_of:
        return frozenset()
    found: dict[AgentRelation, bool] = {
        "self": agent == other,
        "supervisor": roster.supervises(agent, other),
        "deskmate": roster.desk_of[agent] == roster.desk_of.get(other),
    }
    return frozenset(relation for relation, holds in found.items() if holds)


def _is_asked(agent: str, conversation: Conversation, roster: Roster) -> bool:
    department = conversation.desk, conversation.asked_department or ""
    members = roster.members.get(department, NOBODY) - conversation.rejected
    return agent in conversation.asked or agent in members


def _asked(transfer: str | None) -> dict[str, Any]:
    if not transfer:
        return {}
    said = orjson.loads(transfer)
    return {
        "asked": frozenset(said["agents"]),
        "asked_department": said["to_department"],
        "rejected": frozenset(said["rejected"]),
    }
