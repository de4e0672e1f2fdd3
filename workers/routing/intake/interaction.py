"""When customers last did what opens their channel's time for answers, beside what `last_at_ms` says."""

from __future__ import annotations

from schemas.inbound import Echo, InboundUtterance, Introduced, Profile, Reaction, Reply
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.reading import Gesture
from workers.routing.intake.work import Work

BY_AD = "ADS"
"""Messenger's word for the source of who came by an advertisement."""
TAKES_REACTIONS = "messenger"
"""Where a reaction counts, too. Zalo's documents do not say so, and it charges for answers that are late."""


def note(work: Work, conversation: Conversation, at_ms: int, value: InboundUtterance | Gesture) -> None:
    """Note it: of those who are kept out, too, since their channel does not ask whom we keep out."""
    if conversation.session and conversation.last_at_ms >= at_ms and getattr(value, "referral", None) is None:
        return  # as after nearly every message: its own moment says it
    done_at_ms = _done_at_ms(conversation, at_ms, value)
    if done_at_ms is None:
        return
    if isinstance(value, Introduced) and value.referral is not None and value.referral.source == BY_AD:
        conversation.ad_at_ms = max(conversation.ad_at_ms or 0, done_at_ms)
        work.change(conversation)
    if not conversation.session or done_at_ms > conversation.last_at_ms:
        conversation.interacted_at_ms = max(conversation.interacted_at_ms or 0, done_at_ms)
        work.change(conversation)


def _done_at_ms(conversation: Conversation, at_ms: int, value: InboundUtterance | Gesture) -> int | None:
    """When it was done; none: it does not count."""
    match value:
        case Echo() | Reply():
            return None
        case InboundUtterance(history=True, sent_at_ms=int(sent_at_ms)):
            return min(sent_at_ms, at_ms)
        case InboundUtterance() | Profile(interaction=True):
            return at_ms
        case Reaction(by="customer", emoji=str()) if conversation.channel == TAKES_REACTIONS:
            return at_ms
    return None
