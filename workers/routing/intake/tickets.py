"""Tickets of a conversation: its sessions begin them, agents make and change them, and each change is told.

Only a conversation's last ticket changes by itself, so it is remembered with the conversation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from schemas.actions import Action, Say
from schemas.assignments import ChainEvent
from schemas.envelope import Kind, time_text
from schemas.tickets import TicketField
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.ticket import Ticket, begun, edited, given_to, is_handed_over, refusal, settled
from workers.routing.intake.ticket_turns import TicketTurn, turn_of
from workers.routing.intake.work import Work
from workers.routing.outcomes import Refusal
from workers.runtime.batch import Record

TICKET_CHANGED = Kind("messages", "ticket_changed")


def begin(work: Work, conversation: Conversation, at_ms: int) -> None:
    """A session begins, with the line that comes next: so does its draft, which is not told."""
    _remember(work, conversation, next_ticket(conversation, at_ms))


def follow_holder(
    work: Work, conversation: Conversation, cause: Record, at_ms: int, event: ChainEvent
) -> None:
    """An agent may have been given the conversation."""
    ticket = conversation.ticket
    if ticket is None or event.holder is None or ticket.status == "closed":
        return
    given = given_to(ticket, event.holder, event.session, at_ms)
    if given is not ticket:
        is_open = conversation.session_open and conversation.session == ticket.session
        now = settled(given, at_ms, session_open=is_open, agent_wrote=False)
        keep(work, conversation, cause, at_ms, ticket, now)


def settle(work: Work, conversation: Conversation, cause: Record, at_ms: int, *, agent_wrote: bool) -> None:
    """The conversation's session is over, or an agent has written after it was."""
    ticket = conversation.ticket
    if ticket is not None:
        now = settled(ticket, at_ms, session_open=conversation.session_open, agent_wrote=agent_wrote)
        keep(work, conversation, cause, at_ms, ticket, now)


def change_with(work: Work, conversation: Conversation, cause: Record, at_ms: int, action: Say) -> None:
    """An answer was accepted: what it changes of the conversation's last ticket."""
    if action.ticket is not None:
        was = conversation.ticket
        now = edited(was or next_ticket(conversation, at_ms), action.ticket, None, at_ms, who(action))
        keep(work, conversation, cause, at_ms, was, now)


def unfit(
    conversation: Conversation, at_ms: int, action: Say, fields: Sequence[TicketField]
) -> Refusal | None:
    """Why an answer cannot change the conversation's last ticket as it wants to."""
    if action.ticket is None:
        return None
    return refusal(conversation.ticket or next_ticket(conversation, at_ms), action.ticket, None, fields)


def next_ticket(conversation: Conversation, at_ms: int) -> Ticket:
    """Another one, begun with the line that comes next."""
    return begun(
        conversation.ticket, conversation.session, conversation.position + 1, at_ms, conversation.holder
    )


def find(
    work: Work, conversation: Conversation, stored: Mapping[tuple[str, int], Ticket], number: int
) -> Ticket | None:
    """The ticket as this batch has left it, or as the conversation or the table have it."""
    last, name = conversation.ticket, (conversation.id, number)
    if name in work.tickets:
        return work.tickets[name][1]
    return last if last is not None and last.number == number else stored.get(name)


def keep(
    work: Work, conversation: Conversation, cause: Record, at_ms: int, was: Ticket | None, now: Ticket
) -> None:
    """Let `now` stand instead of `was` (none: it is new), and tell it."""
    if now is was:
        return
    _remember(work, conversation, now)
    turn = turn_of(was, now)
    if turn is not None:
        work.ticket_turns.append(TicketTurn(turn, conversation, now))
    if now.status == "draft" and now.changed_by is None:
        return
    value = {
        **conversation.facts,
        "page": conversation.page,
        "ticket": now.number,
        "session": now.session,
        "first_position": now.first_position,
        "status": now.status,
        "former_status": None if was is None else was.status,
        "subject": now.subject,
        "fields": now.fields,
        "agent": now.agent,
        "by": None if is_handed_over(was, now) else now.changed_by,
        "at": time_text(at_ms),
    }
    work.batch.emit(cause, TICKET_CHANGED, key=cause.key, value=orjson.dumps(value), at_ms=at_ms)


def _remember(work: Work, conversation: Conversation, ticket: Ticket) -> None:
    work.tickets[conversation.id, ticket.number] = conversation, ticket
    if conversation.ticket is None or ticket.number >= conversation.ticket.number:
        conversation.ticket = ticket


def who(action: Action) -> str:
    """In whose name."""
    return action.by or action.actor
