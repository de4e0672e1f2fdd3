"""What audiences are told: offers, their withdrawal, and what changed in lists that are watched."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from schemas.assignments import ChainEvent, Offered
from workers.notifier.conversation import Conversation, Paged
from workers.notifier.told import Announced
from workers.wording.pages import word_page
from workers.wording.word import LANGUAGES


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


def page_stands(conversation: Conversation, paged: Paged) -> Announced:
    """Its admins are told that a page is paused, and why, or that it goes on."""
    stands = paged.stands
    words = {language: word_page(stands.paused, language)._asdict() for language in LANGUAGES}
    said: dict[str, Any] = {"words": words}
    what = "page_resumed" if stands.paused is None else "page_paused"
    if stands.paused is not None:
        said["reason"] = stands.paused
    came_to = conversation.seq, conversation.epoch
    return Announced(what, paged.id, stands, f"admins:{stands.page}", said, came_to)
