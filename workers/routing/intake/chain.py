"""Following a conversation's chain of assignment events."""

from __future__ import annotations

from schemas.assignments import Assigned, Blocked, CareChanged, ChainEvent, Offered, Unblocked
from schemas.ids import message_id_text
from workers.routing.intake import replies, tickets, transcript
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.log_lines import log_line
from workers.routing.intake.policies import DeskPolicies
from workers.routing.intake.routing import answers_route
from workers.routing.intake.sessions import end_session, open_session
from workers.routing.intake.touching import count_again
from workers.routing.intake.transcript import Line
from workers.routing.intake.work import Work
from workers.routing.outcomes import Refusal
from workers.runtime.batch import Record

BLOCKED = Refusal("blocked", "this customer is blocked: unblock him before you write", allowed=("unblock",))


class BrokenChainError(Exception):
    """An assignment event that cannot follow what was applied: the desk or the log is at fault."""


def follow(
    work: Work,
    conversation: Conversation,
    cause: Record,
    at_ms: int,
    event: ChainEvent,
    silence_ms: int,
    policies: DeskPolicies,
) -> None:
    """Apply `event`, and write its log line. Where an agent has begun a chat, it opens the session.

    Raises BrokenChainError when an event before it is missing.
    """
    if event.seq <= conversation.seq:
        work.became["stale_assignment"] += 1
        return
    if event.seq != conversation.seq + 1:
        raise BrokenChainError(
            f"conversation {conversation.id} has applied its assignment event {conversation.seq}, "
            f"but the next one on assignments is {event.seq}"
        )
    if event.session > conversation.session:
        open_session(work, conversation, at_ms, silence_ms)
    conversation.seq = event.seq
    conversation.epoch = event.epoch
    conversation.standing = event.standing
    conversation.holder = event.holder
    if answers_route(conversation, event):
        conversation.route_unanswered = False
    work.change(conversation)
    _write_log_line(work, conversation, cause, at_ms, event)
    tickets.follow_holder(work, conversation, cause, at_ms, event)
    _follow_on(work, conversation, cause, at_ms, event, policies)
    replies.follow(work, conversation, cause, at_ms, event, policies)


def _follow_on(
    work: Work,
    conversation: Conversation,
    cause: Record,
    at_ms: int,
    event: ChainEvent,
    policies: DeskPolicies,
) -> None:
    """What single kinds of events mean beside how things stand after them."""
    match event:
        case Assigned():
            policy = policies.of(conversation.workspace, conversation.desk)
            count_again(conversation, at_ms, policy.silent_after_ms)
        case Offered():
            conversation.offer_rule = event.rule
        case Blocked():
            conversation.blocked = True
            replies.give_back(work, conversation, cause, at_ms, BLOCKED)
        case Unblocked():
            conversation.blocked = False
        case CareChanged(care="done") if conversation.session_open and event.session == conversation.session:
            end_session(work, conversation, cause, at_ms, "done")


def _write_log_line(
    work: Work, conversation: Conversation, cause: Record, at_ms: int, event: ChainEvent
) -> None:
    told = log_line(event)
    if told is None:
        return
    # No page is named like a conversation's id, so no channel's message can have this id.
    message = message_id_text(conversation.id, f"log {event.seq}")
    line = Line(message, sender="system", kind="log", code=told.code, params=told.params)
    transcript.append(work, conversation, cause, at_ms, line)
