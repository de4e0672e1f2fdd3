"""What agents ask of tickets: to make one, to change one, or to change the last one with an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.actions import EditTicket, OpenTicket, Say
from schemas.tickets import NUMBER_MAX, TicketChange, TicketField
from workers.routing.intake.act import Act, Answer
from workers.routing.intake.ticket import Ticket, edited, refusal
from workers.routing.intake.tickets import find, keep, next_ticket, unfit, who
from workers.routing.outcomes import Refusal, Result


def cannot_change(act: Act[Say]) -> Refusal | None:
    """Why an answer cannot change the ticket as it wants to."""
    return unfit(act.conversation, act.at_ms, act.action, _fields(act))


def open_ticket(act: Act[OpenTicket]) -> Answer:
    """The conversation's draft becomes a ticket; when it has none, another one is made."""
    work, conversation, cause, at_ms, action, _ = act
    last = conversation.ticket
    was = last if last is not None and last.status == "draft" else None
    if was is None and last is not None and last.number >= NUMBER_MAX:
        return Refusal("too_many", "this conversation has as many tickets as it can have")
    ticket = was or next_ticket(conversation, at_ms)
    change = TicketChange(subject=action.subject, fields=action.fields)
    refused = refusal(ticket, change, "open", _fields(act))
    if refused is not None:
        return refused
    now = edited(ticket, change, "open", at_ms, who(action))
    keep(work, conversation, cause, at_ms, was, now)
    return _result(now)


def edit_ticket(act: Act[EditTicket]) -> Answer:
    """Change one of the conversation's tickets."""
    work, conversation, cause, at_ms, action, given = act
    ticket = find(work, conversation, given.tickets, action.ticket)
    if ticket is None:
        return Refusal("unknown_ticket", f"the conversation has no ticket {action.ticket}")
    change = TicketChange(subject=action.subject, fields=action.fields)
    refused = refusal(ticket, change, action.status, _fields(act))
    if refused is not None:
        return refused
    now = edited(ticket, change, action.status, at_ms, who(action))
    keep(work, conversation, cause, at_ms, ticket, now)
    return _result(now)


def _fields(act: Act[Any]) -> Sequence[TicketField]:
    conversation = act.conversation
    return act.given.policies.of(conversation.workspace, conversation.desk).ticket_fields


def _result(ticket: Ticket) -> Result:
    return {
        "ticket": ticket.number,
        "status": ticket.status,
        "subject": ticket.subject,
        "fields": dict(ticket.fields),
    }
