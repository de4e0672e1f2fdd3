"""Who may do what in a conversation, as far as intake can tell; who sees it is for the gateway."""

from __future__ import annotations

from schemas.actions import Action
from schemas.ids import agent_key
from workers.routing.intake.conversation import Conversation
from workers.routing.outcomes import Refusal


def is_forged(action: Action) -> Refusal | None:
    """Why `action` cannot be by whom it says: an agent acts in his own name."""
    if action.actor.startswith(("service:", "cli:")):
        return None
    if action.by is not None and action.actor == agent_key(action.workspace, action.by):
        return None
    return Refusal("forbidden", f"{action.actor} cannot act in the name of {action.by or 'nobody'}")


def no_agent(action: Action) -> Refusal | None:
    """Why it cannot be done in nobody's name."""
    if action.by is not None:
        return None
    return Refusal("forbidden", "only an agent can do this: say in whose name")


def not_holder(conversation: Conversation, action: Action) -> Refusal | None:
    """Why it is not for whom it comes from: it is for the holder, for admins and for services."""
    is_bots = action.by is None
    if is_bots or action.authority != "agent" or action.by == conversation.holder:
        return None
    if conversation.holder is None:
        sentence = "nobody has this conversation: take it before you answer"
    else:
        sentence = f"{conversation.holder} has this conversation"
    allowed = ("claim",) if conversation.standing == "offered" else ()
    return Refusal("not_holder", sentence, allowed, {"holder": conversation.holder})
