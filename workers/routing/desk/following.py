"""Following and muting: which customers are on an agent's list, and of whose messages he is told."""

from __future__ import annotations

from schemas.asks import ConversationAsk, Follow, Mute, Unfollow, Unmute
from schemas.assignments import Followed, Muted, Unfollowed, Unmuted
from workers.routing.desk.access import administers, holds, no_agent
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.decision import Draft
from workers.routing.desk.desk import Desk
from workers.routing.outcomes import Refusal, Result


def follow(draft: Draft, conversation: Conversation, command: Follow) -> Refusal | Result:
    """Put its customer on the agent's list, if it is his to keep."""
    refusal = _not_his(draft.desk, conversation, command)
    if refusal is not None:
        return refusal
    if command.by not in conversation.followers:
        as_admin = command.authority != "admin" and not holds(command, conversation)
        draft.tell(
            Followed, conversation, agent=command.by, command=command.idempotency_key, as_admin=as_admin
        )
    return {"following": True}


def unfollow(draft: Draft, conversation: Conversation, command: Unfollow) -> Refusal | Result:
    """Take its customer off the agent's list; being given it again puts him back."""
    if command.by in conversation.followers:
        draft.tell(Unfollowed, conversation, agent=command.by, command=command.idempotency_key)
    return {"following": False}


def mute(draft: Draft, conversation: Conversation, command: Mute) -> Refusal | Result:
    """Tell the agent of no more messages of it."""
    refusal = _not_his(draft.desk, conversation, command)
    if refusal is not None:
        return refusal
    if command.by not in conversation.muted:
        draft.tell(Muted, conversation, agent=command.by, command=command.idempotency_key)
    return {"muted": True}


def unmute(draft: Draft, conversation: Conversation, command: Unmute) -> Refusal | Result:
    """Tell the agent of its messages again."""
    if command.by in conversation.muted:
        draft.tell(Unmuted, conversation, agent=command.by, command=command.idempotency_key)
    return {"muted": False}


def _not_his(desk: Desk, conversation: Conversation, command: ConversationAsk) -> Refusal | None:
    """Why the agent may not do that; none when he may."""
    if command.by is None:
        return Refusal("forbidden", "only an agent has a list: say in whose name")
    refusal = no_agent(desk, command.by)
    if refusal is None and not keeps(desk, conversation, command):
        return Refusal("forbidden", "it is for who has it, who follows it, and the admins of its page")
    return refusal


def keeps(desk: Desk, conversation: Conversation, command: ConversationAsk) -> bool:
    """Whether it is his who asks beyond this moment: its holder's, its followers', the page's admins'.

    Former holders follow it until they unfollow, and see no more of it then. Who is only asked to take it
    reads it as long as he is asked: the losers of a race keep nothing.
    """
    is_his = holds(command, conversation) or administers(desk, command, conversation.page)
    return is_his or command.by in conversation.followers
