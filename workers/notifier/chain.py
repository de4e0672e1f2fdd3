"""What each event of a chain changes in its conversation, as far as the notifier must know."""

from __future__ import annotations

from schemas.assignments import (
    Assigned,
    Blocked,
    ChainEvent,
    Followed,
    Muted,
    Offered,
    SessionClosed,
    TransferEnded,
    Transferring,
    Unassigned,
    Unblocked,
    Unfollowed,
    Unmuted,
)
from workers.notifier.conversation import Conversation, RecipientSet


def step(conversation: Conversation, event: ChainEvent) -> None:
    """Apply the next event. Who has read what is not its business: see workers.notifier.recipients."""
    after = conversation.sets[-1].after_position if conversation.sets else 0
    conversation.seq, conversation.epoch = event.seq, event.epoch
    conversation.standing, conversation.care = event.standing, event.care
    conversation.holder = event.holder
    conversation.audience = _audience(conversation, event)
    conversation.asked = _asked(conversation, event)
    _set_circle(conversation, event)
    if isinstance(event, Assigned):
        after = event.after_position
    conversation.sets.append(RecipientSet(event.seq, event.epoch, event.holder, after, _told(conversation)))


def _audience(conversation: Conversation, event: ChainEvent) -> str | None:
    if isinstance(event, Offered):
        return event.audience
    return conversation.audience if event.standing == "offered" else None


def _asked(conversation: Conversation, event: ChainEvent) -> tuple[str, ...]:
    """A transfer ends by itself, with the session, or when the conversation moves."""
    if isinstance(event, Transferring):
        return event.agents
    is_over = isinstance(event, (TransferEnded, Assigned, SessionClosed)) or event.holder is None
    return () if is_over else conversation.asked


def _set_circle(conversation: Conversation, event: ChainEvent) -> None:
    """Being given it follows and unmutes it; who has refused it follows it no more."""
    match event:
        case Assigned(holder=str(holder)):
            conversation.followers |= {holder}
            conversation.muted -= {holder}
        case Unassigned(how="refused"):
            conversation.followers -= {event.former_holder}
        case Followed():
            conversation.followers |= {event.agent}
        case Unfollowed():
            conversation.followers -= {event.agent}
        case Muted():
            conversation.muted |= {event.agent}
        case Unmuted():
            conversation.muted -= {event.agent}
        case Blocked():
            conversation.blocked = True
        case Unblocked():
            conversation.blocked = False


def _told(conversation: Conversation) -> tuple[str, ...]:
    if conversation.blocked:
        return ()
    return tuple(sorted(conversation.followers - conversation.muted))
