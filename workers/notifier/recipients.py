"""Who is told what: pure decisions on one conversation. The rules are the design's, sections 3 and 9.

Whatever the interleaving of the two topics, the same agents are told of the same things, and unread counts
end the same: who is told of a message hangs on the chain number that the message names, and what somebody
has not read on the transcript and on his own read marks alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from schemas.assignments import Assigned, ChainEvent, Followed
from schemas.ids import parts_of_owner
from schemas.messages import Stored
from workers.notifier import chain
from workers.notifier.announcements import announce, page_stands
from workers.notifier.carried import NOTHING_CARRIED, Carried
from workers.notifier.conversation import NEVER, Back, Conversation, Failed, Heard, Marked, Paged
from workers.notifier.personal import Circle, circle, tell
from workers.notifier.told import Telling, Told
from workers.wording.delivery import word_delivery
from workers.wording.word import LANGUAGES


class BrokenChainError(RuntimeError):
    """The chain of a conversation does not go on where it stopped; nobody can say who is to be told."""


class ChainStep(NamedTuple):
    """One record of assignments: its event id, what it says, and the transcript for whom it names."""

    id: UUID
    event: ChainEvent
    carried: Carried = NOTHING_CARRIED


def take(
    conversation: Conversation, said: ChainStep | Heard | Marked | Back | Failed | Paged, carried: Carried
) -> Sequence[Telling]:
    """Take the next record of any topic; `carried` is what the transcript says at it."""
    match said:
        case Heard():
            return hear(conversation, said)
        case Marked():
            return mark(conversation, said, carried)
        case Back():
            return greet(conversation, said)
        case Failed():
            return fail(conversation, said)
        case Paged():
            return [page_stands(conversation, said)]
    return follow(conversation, said._replace(carried=carried))


def follow(conversation: Conversation, step: ChainStep) -> list[Telling]:
    """Take the next event of the chain; then the messages that were waiting for it.

    Raises BrokenChainError on a gap, or when somebody holds the conversation to whom it was not assigned.
    """
    event = step.event
    if event.seq <= conversation.seq:
        return []
    _check(conversation, event)
    was = circle(conversation)
    chain.step(conversation, event)
    unread = _seat(conversation, step, was)
    told: list[Telling] = [*tell(conversation, step.id, event, was, step.carried.message, unread)]
    told += announce(conversation, step.id, event, was.audience)
    while conversation.held and conversation.held[0].message.seq <= conversation.seq:
        told += _tell(conversation, _release(conversation))
    return told


def hear(conversation: Conversation, heard: Heard) -> list[Told]:
    """Take the next message of the transcript, or hold it until the chain number it names has come."""
    message = heard.message
    if message.position <= max(conversation.position, conversation.held_to):
        return []
    if conversation.held_to or message.seq > conversation.seq:
        conversation.held.append(heard)
        conversation.held_to = message.position
        return []
    return _tell(conversation, heard)


def mark(conversation: Conversation, marked: Marked, carried: Carried) -> list[Told]:
    """Take a read mark: it never goes back, and counts also for what he will follow later."""
    read = marked.read
    seat = conversation.seat(read.agent)
    if read.position <= seat.read_to or read.position < carried.read_to:
        return []
    seat.read_to = read.position
    if read.agent == conversation.holder or read.agent in conversation.followers:
        seat.unread = carried.unread(read.position, conversation.position)
    seat.touch(read.epoch, read.at)
    return [Told("read", marked.id, read, read.agent, read.epoch, seat.unread)]


def greet(conversation: Conversation, back: Back) -> list[Told]:
    """A customer is back: who follows him and has not muted him is told, as far as the chain was followed."""
    returned = back.returned
    seq = min(returned.seq, conversation.seq)
    recipients = conversation.recipients(seq)
    if recipients is None:
        return []
    more = {"session": returned.session}
    return [
        Told(
            *("returned", back.id, returned, agent, recipients.epoch, _unread(conversation, agent)),
            more=more,
            followed_to=seq,
        )
        for agent in recipients.agents
    ]


def fail(conversation: Conversation, failed: Failed) -> list[Told]:
    """Take an answer that has failed: the agent who wrote it is told, whoever has the conversation by now."""
    answer = failed.delivery
    kind, workspace, agent = parts_of_owner(answer.sender)
    if (kind, workspace) != ("agent", answer.workspace) or not agent:
        return []
    words = {language: word_delivery("failed", answer.reason, language)._asdict() for language in LANGUAGES}
    said = {"answer": answer.message, "reason": answer.reason, "words": words}
    unread, seq = _unread(conversation, agent), conversation.seq
    return [Told("answer_failed", failed.id, answer, agent, conversation.epoch, unread, None, said, seq)]


def _check(conversation: Conversation, event: ChainEvent) -> None:
    if event.seq > conversation.seq + 1:
        raise BrokenChainError(
            f"conversation {event.key}: event {event.seq} came after {conversation.seq}; those between are "
            "missing on assignments"
        )
    if isinstance(event, Assigned):
        if event.holder is None:
            raise BrokenChainError(f"conversation {event.key}: event {event.seq} assigns it to nobody")
    elif event.holder not in (None, conversation.holder):
        raise BrokenChainError(
            f"conversation {event.key}: event {event.seq} names the holder {event.holder}, to whom it was "
            "not assigned"
        )


def _seat(conversation: Conversation, step: ChainStep, was: Circle) -> int:
    """Seat who begins to hold or follow, clear the seat of who ceases; what an `assigned` notice counts."""
    event, now = step.event, circle(conversation)
    for agent in _concerned(event, was, now):
        seat = conversation.seat(agent)
        if agent == _given(event) or (isinstance(event, Followed) and agent not in was.live):
            seat.sit(step.carried, conversation.position)
        elif agent not in now.live:
            seat.leave()
        seat.touch(event.epoch, event.at)
    given = _given(event)
    if given is None:
        return 0
    upto = max(event.after_position, conversation.position)
    return step.carried.unread(conversation.seats[given].read_to, upto)


def _given(event: ChainEvent) -> str | None:
    """To whom it is assigned, if it is."""
    return event.holder if isinstance(event, Assigned) else None


def _concerned(event: ChainEvent, was: Circle, now: Circle) -> frozenset[str]:
    """Whose row of the list changes."""
    holders = {was.holder, now.holder} if was.holder != now.holder else {_given(event)}
    return (was.live ^ now.live) | (was.muted ^ now.muted) | {agent for agent in holders if agent is not None}


def _release(conversation: Conversation) -> Heard:
    heard = conversation.held.popleft()
    conversation.released_to = heard.message.position
    if not conversation.held:
        conversation.held_to = 0
    return heard


def _tell(conversation: Conversation, heard: Heard) -> list[Told]:
    message = heard.message
    recipients = conversation.recipients(message.seq)
    conversation.drop_sets_before(message.seq)
    conversation.position = message.position
    _order(conversation, message)
    if message.mentions and message.kind == "note":
        return _mention(conversation, heard, recipients.epoch if recipients else 0)
    if message.sender != "customer" or message.history or message.blocked:
        return []
    _count(conversation, message)
    if recipients is None:
        return []
    carried_to = {recipients.holder: recipients.after_position}
    return [
        Told("message", heard.id, message, agent, recipients.epoch, _unread(conversation, agent), message)
        for agent in recipients.agents
        if message.position > carried_to.get(agent, 0)
    ]


def _order(conversation: Conversation, message: Stored) -> None:
    """Whoever writes brings the conversation to the top; log lines, notes and bots do not.

    Nor does a customer who is kept out, unless nothing else says when somebody wrote. An older message counts
    at its own time.
    """
    is_said = message.sender in ("customer", "agent") and message.kind != "note"
    if is_said and (conversation.last_at == NEVER or not message.blocked):
        at = message.sent_at if message.history and message.sent_at is not None else message.stored_at
        conversation.last_at = max(conversation.last_at, at)


def _count(conversation: Conversation, message: Stored) -> None:
    if message.session > conversation.session:
        conversation.session, conversation.in_session = message.session, 0
    conversation.in_session += 1
    for _, seat in conversation.live_seats():
        seat.hear(message.position)
        seat.touch(0, message.stored_at)


def _mention(conversation: Conversation, heard: Heard, epoch: int) -> list[Told]:
    note = heard.message
    return [
        Told(
            "mention",
            heard.id,
            note,
            agent,
            epoch,
            _unread(conversation, agent),
            note,
            {"by": note.sender_id},
        )
        for agent in dict.fromkeys(note.mentions)
        if agent != note.sender_id
    ]


def _unread(conversation: Conversation, agent: str) -> int:
    """Who neither holds nor follows it any more has no unread messages."""
    seat = conversation.seats.get(agent)
    return seat.unread if seat is not None else 0
