"""Sessions: opened by a customer's first message, ended by silence, by an agent, by leaving or by `done`."""

from __future__ import annotations

from typing import Literal

from schemas.actions import SessionTimer
from schemas.envelope import Kind
from schemas.inbound import Left
from workers.routing.intake import replies, tickets
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.work import SessionEnding, SessionOpening, Work
from workers.routing.outcomes import Refusal
from workers.runtime.batch import Record

SESSION_ENDED = Kind("commands", "session_ended")

EndedBy = Literal["silence", "agent", "left", "done"]
OVER = Refusal("expired", "the session ended before the desk had decided: your message was not sent")


def open_session(work: Work, conversation: Conversation, at_ms: int, silence_ms: int) -> None:
    """Begin the conversation's next session with the line that comes next."""
    conversation.session += 1
    conversation.session_open = True
    conversation.session_customer_messages = 0
    conversation.session_agent_messages = 0
    conversation.timer_at_ms = at_ms + silence_ms
    conversation.silence_at_ms = None
    conversation.silent = False
    tickets.begin(work, conversation, at_ms)
    work.openings.append(SessionOpening(conversation, conversation.session, at_ms, conversation.position + 1))


def silence(
    work: Work,
    conversation: Conversation,
    cause: Record,
    at_ms: int,
    timer: SessionTimer,
    silence_ms: int,
) -> None:
    """A silence timer has come: end its session, or arm it anew when the customer wrote meanwhile.

    Only then is `timer_at` written, not with each message: its index would have to follow each time.
    """
    if not conversation.session_open or timer.session != conversation.session:
        work.became["stale_timer"] += 1
        return
    due_ms = _next_due_ms(conversation, cause, at_ms, timer, silence_ms)
    conversation.timer_at_ms = due_ms
    work.change(conversation)
    if due_ms is None:
        end_session(work, conversation, cause, at_ms, "silence")


def _next_due_ms(
    conversation: Conversation, cause: Record, at_ms: int, timer: SessionTimer, silence_ms: int
) -> int | None:
    """When the timer shall come again; none: the silence has been long enough.

    A worker's clock only proposes when it comes: when the log took it before its time, it waits on.
    """
    due_ms = round(timer.due_at.timestamp() * 1000)
    if cause.timestamp_ms < due_ms:
        return due_ms
    silent_at_ms = conversation.last_at_ms + silence_ms
    return silent_at_ms if silent_at_ms > at_ms else None


def leave(work: Work, conversation: Conversation, cause: Record, at_ms: int, left: Left) -> None:
    """The customer has left: end his open session, unless he has written while he was said to be gone.

    How long he was gone is by another clock than the log's, so only spans of time are compared.
    """
    if conversation.session and at_ms - conversation.last_at_ms < left.gone_ms:
        return
    conversation.away = True
    work.change(conversation)
    if conversation.session_open:
        end_session(work, conversation, cause, at_ms, "left")


def end_session(work: Work, conversation: Conversation, cause: Record, at_ms: int, ended_by: EndedBy) -> None:
    """End the open session and tell the desk. Answers that wait for it go back to their senders."""
    conversation.session_open = False
    conversation.timer_at_ms = None
    conversation.silence_at_ms = None
    conversation.silent = False
    work.change(conversation)
    work.endings.append(SessionEnding(conversation, conversation.session, at_ms, ended_by))
    replies.give_back(work, conversation, cause, at_ms, OVER)
    agent_wrote = conversation.session_agent_messages > 0
    tickets.settle(work, conversation, cause, at_ms, agent_wrote=agent_wrote)
    facts = {
        "ended_by": ended_by,
        "customer_messages": conversation.session_customer_messages,
        "agent_messages": conversation.session_agent_messages,
    }
    work.command(conversation, cause, at_ms, SESSION_ENDED, facts)
