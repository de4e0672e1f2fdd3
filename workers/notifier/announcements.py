"""What audiences are told: offers, their withdrawal, and what changed in lists that are watched."""

from __future__ import annotations

from uuid import UUID

from schemas.assignments import ChainEvent, Offered
from workers.notifier.conversation import Conversation
from workers.notifier.told import Announced


def announce(
    conversation: Conversation, cause: UUID, event: ChainEvent, audience: str | None
) -> list[Announced]:
    """What `event`, which was applied, tells audiences; `audience` is the one before it."""
    announced = []
    if audience is not None and audience != conversation.audience:
        announced.append(Announced("withdrawn", cause, event, audience, {"holder": event.holder}))
    if isinstance(event, Offered):
        offer = {
            "rule": event.rule,
            "agents": event.agents,
            "unrouted": event.unrouted,
            "expires_at": event.expires_at,
            "unread": conversation.unread,
        }
        announced.append(Announced("offered", cause, event, event.audience, offer))
    return announced


def changed(conversation: Conversation, cause: UUID, event: ChainEvent) -> Announced:
    """How things stand after `event`, the batch's last of this conversation."""
    now = {
        "standing": event.standing,
        "holder": event.holder,
        "care": event.care,
        "unread": conversation.unread,
    }
    return Announced("conversation_changed", cause, event, f"page:{event.page}", now)
