"""Who is told what: pure decisions on one conversation. The rules are the design's, sections 3 and 9.

Whatever the interleaving of the two topics, the same agents are told of the same things, and unread counts
end the same: who is told of a message hangs on the chain number that the message names, and what the present
holder has not read on the transcript alone.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from schemas.assignments import Assigned, ChainEvent
from schemas.messages import Stored
from schemas.notifications import NoticeMessage
from workers.notifier.carried import NOTHING_CARRIED, Carried
from workers.notifier.conversation import Conversation, Heard, RecipientSet
from workers.notifier.inbox import InboxChanges


class BrokenChainError(RuntimeError):
    """The chain of a conversation does not go on where it stopped; nobody can say who is to be told."""


class ChainStep(NamedTuple):
    """One record of assignments: its event id, what it says, and what the notice of it would carry."""

    id: UUID
    event: ChainEvent
    carried: Carried = NOTHING_CARRIED


class Told(NamedTuple):
    """One agent is to be told of one event, which is `about` a change or a message."""

    cause: UUID
    about: Assigned | Stored
    agent: str
    epoch: int
    unread: int
    carried: NoticeMessage | None = None
    """The message that an `assigned` notice carries."""


def follow(conversation: Conversation, step: ChainStep, changes: InboxChanges) -> list[Told]:
    """Take the next event of the chain; then the messages that were waiting for it.

    Raises BrokenChainError on a gap, or when somebody holds the conversation to whom it was not assigned.
    """
    event = step.event
    if event.seq <= conversation.seq:
        return []
    if event.seq > conversation.seq + 1:
        raise BrokenChainError(
            f"conversation {event.key}: event {event.seq} came after {conversation.seq}; those between are "
            "missing on assignments"
        )
    told: list[Told] = []
    if isinstance(event, Assigned):
        told.append(_assign(conversation, step, event, changes))
    else:
        _keep_or_take(conversation, event, changes)
    _add_recipients(conversation, event)
    while conversation.held and conversation.held[0].message.seq <= conversation.seq:
        told += _tell(conversation, _release(conversation), changes)
    return told


def hear(conversation: Conversation, heard: Heard, changes: InboxChanges) -> list[Told]:
    """Take the next message of the transcript, or hold it until the chain number it names has come."""
    message = heard.message
    if message.position <= max(conversation.position, conversation.held_to):
        return []
    if conversation.held_to or message.seq > conversation.seq:
        conversation.held.append(heard)
        conversation.held_to = message.position
        return []
    return _tell(conversation, heard, changes)


def _assign(conversation: Conversation, step: ChainStep, event: Assigned, changes: InboxChanges) -> Told:
    if event.holder is None:
        raise BrokenChainError(f"conversation {event.key}: event {event.seq} assigns it to nobody")
    if conversation.holder is not None:
        changes.take(conversation, event.page, event.at)
    counted_to = max(event.after_position, conversation.position)
    conversation.holder, conversation.epoch = event.holder, event.epoch
    conversation.counted_to = counted_to
    changes.give(
        conversation,
        event.page,
        unread=step.carried.unread(counted_to),
        last_position=step.carried.last_position(counted_to),
        at=event.at,
    )
    return Told(step.id, event, event.holder, event.epoch, conversation.unread, step.carried.message)


def _keep_or_take(conversation: Conversation, event: ChainEvent, changes: InboxChanges) -> None:
    if event.holder == conversation.holder:
        return
    if event.holder is not None:
        raise BrokenChainError(
            f"conversation {event.key}: event {event.seq} names the holder {event.holder}, to whom it was "
            "not assigned"
        )
    changes.take(conversation, event.page, event.at)
    conversation.holder = None


def _add_recipients(conversation: Conversation, event: ChainEvent) -> None:
    last = conversation.sets[-1] if conversation.sets else None
    carried_to = last.after_position if last else 0
    if isinstance(event, Assigned):
        carried_to = event.after_position
    conversation.seq, conversation.epoch = event.seq, event.epoch
    conversation.sets.append(RecipientSet(event.seq, event.epoch, event.holder, carried_to))


def _release(conversation: Conversation) -> Heard:
    heard = conversation.held.popleft()
    conversation.released_to = heard.message.position
    if not conversation.held:
        conversation.held_to = 0
    return heard


def _tell(conversation: Conversation, heard: Heard, changes: InboxChanges) -> list[Told]:
    message = heard.message
    recipients = conversation.recipients(message.seq)
    conversation.drop_sets_before(message.seq)
    conversation.position = message.position
    if message.sender != "customer":
        return []
    if conversation.holder is not None and message.position > conversation.counted_to:
        changes.add_unread(conversation, message.page, message.position, message.stored_at)
    if recipients is None or recipients.holder is None or message.position <= recipients.after_position:
        return []
    unread = conversation.unread
    if recipients.holder != conversation.holder:
        changes.tell_former(
            conversation,
            recipients.holder,
            message.page,
            recipients.epoch,
            message.position,
            message.stored_at,
        )
        unread = 0
    return [Told(heard.id, message, recipients.holder, recipients.epoch, unread)]
