"""Whom a note may name: a notice with its words goes to each, so only those who may see its conversation."""

from __future__ import annotations

from collections.abc import Collection

from asyncpg import Pool

from workers.gateway.conversations import Conversation, relations
from workers.gateway.identity import Identity, Role
from workers.gateway.problem import answering, forbidden
from workers.gateway.rights import may
from workers.gateway.roster import Roster

ADMINS = """
SELECT agent_id, role FROM account
WHERE workspace_id = $1 AND agent_id = ANY ($2::text[]) AND active AND role <> 'agent'
"""


async def read_roles(pool: Pool, workspace: str, agents: Collection[str]) -> frozenset[tuple[str, Role]]:
    """Agents with the roles of their accounts, where these are more than an agent's."""
    return frozenset(map(tuple, await pool.fetch(ADMINS, workspace, list(agents))))


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


async def check_mentions(
    pool: Pool, workspace: str, conversation: Conversation, roster: Roster, mentioned: Collection[str]
) -> None:
    """Raises ApiError when a note names somebody who may not see the conversation."""
    if not mentioned:
        return
    with answering():
        roles = await read_roles(pool, workspace, mentioned)
    unseeing = strangers(mentioned, conversation, workspace, roster, roles)
    if unseeing:
        sentence = f"They may not see this conversation, so a note cannot name them: {', '.join(unseeing)}."
        raise forbidden(sentence, details={"subjects": [str(conversation.id)], "agents": unseeing})
