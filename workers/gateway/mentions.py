"""Whom a note may name: a notice with its words goes to each, so only those who may see its conversation."""

from __future__ import annotations

from collections.abc import Collection

from workers.gateway.conversations import Conversation, relations
from workers.gateway.identity import Identity, Role
from workers.gateway.rights import may
from workers.gateway.roster import Roster
from workers.runtime.handler import Connection

ADMINS = """
SELECT agent_id, role FROM account
WHERE workspace_id = $1 AND agent_id = ANY ($2::text[]) AND active AND role <> 'agent'
"""


async def read_roles(
    connection: Connection, workspace: str, agents: Collection[str]
) -> frozenset[tuple[str, Role]]:
    """Agents with the roles of their accounts, where these are more than an agent's."""
    return frozenset(map(tuple, await connection.fetch(ADMINS, workspace, list(agents))))


def strangers(
    mentioned: Collection[str],
    conversation: Conversation,
    workspace: str,
    roster: Roster,
    roles: Collection[tuple[str, Role]],
) -> list[str]:
    """Those of `mentioned`, in their order, who may not see `conversation`."""
    people = [Identity(workspace, role, agent) for agent, role in roles]
    people += [Identity(workspace, "agent", agent) for agent in mentioned]
    seeing = {one.agent for one in people if may(one, relations(one.agent, conversation, roster), "see")}
    return [agent for agent in dict.fromkeys(mentioned) if agent not in seeing]
