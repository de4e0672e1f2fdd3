"""What reaches a customer out of a ticket by other means than the channel, and what comes back.

It stands in the transcript, and is no part of the chat: no session begins or goes on with it, nobody is
sought, and no channel's window opens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import orjson

from schemas.actions import Outreach
from schemas.envelope import Kind, time_text
from schemas.inbound import Mail, Reply
from schemas.messages import Sender
from schemas.outbound import MeansName
from schemas.tickets import TicketChange
from workers.routing.intake import tickets, transcript
from workers.routing.intake.act import Act, message_id_of
from workers.routing.intake.chain import BLOCKED
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.given import Given
from workers.routing.intake.rights import not_holder
from workers.routing.intake.ticket import Ticket, edited, reopened
from workers.routing.intake.transcript import Line
from workers.routing.intake.work import Work
from workers.routing.outcomes import Refusal, Result
from workers.runtime.batch import Record

OutreachT = TypeVar("OutreachT", bound=Outreach)


def ticket_of(act: Act[OutreachT]) -> Ticket | Refusal:
    """The ticket from which somebody may reach the customer; or why he may not."""
    work, conversation, _, _, action, given = act
    if conversation.blocked:
        return BLOCKED
    if refused := not_holder(conversation, action):
        return refused
    ticket = tickets.find(work, conversation, given.tickets, action.ticket)
    return ticket or Refusal("unknown_ticket", f"the conversation has no ticket {action.ticket}")


def reach(
    act: Act[OutreachT],
    ticket: Ticket,
    means: MeansName,
    said: Mapping[str, Any],
    params: Mapping[str, Any],
) -> Result:
    """Into the transcript, and to delivery; a draft becomes an open ticket.

    Args:
        act: what was asked for.
        ticket: from which.
        means: by which; the record on outbound is called so.
        said: what it says, as its record has it.
        params: of the line, beside the ticket.
    """
    work, conversation, cause, at_ms, action, _ = act
    message = message_id_of(act)
    sender: Sender = "bot" if action.by is None else "agent"
    line = Line(
        message,
        sender,
        means,
        tickets.who(action),
        said.get("text"),
        said.get("attachments") or None,
        params={"ticket": ticket.number, **params},
    )
    _keep_line(work, conversation, cause, at_ms, line, ticket.number)
    value = {
        **conversation.facts,
        "page": conversation.page,
        "message": message,
        "position": conversation.position,
        "sender": action.actor,
        "ticket": ticket.number,
        **said,
        "at": time_text(at_ms),
    }
    work.batch.emit(cause, Kind("outbound", means), key=cause.key, value=orjson.dumps(value), at_ms=at_ms)
    if ticket.status == "draft":
        now = edited(ticket, TicketChange(), "open", at_ms, tickets.who(action))
        tickets.keep(work, conversation, cause, at_ms, ticket, now)
    return {"message": message, "position": conversation.position, "ticket": ticket.number}


def came_back(
    work: Work, conversation: Conversation, cause: Record, at_ms: int, said: Reply, message: str, given: Given
) -> None:
    """The customer answered: a closed ticket opens again, unless he is kept out."""
    params: dict[str, Any] = {"ticket": said.ticket, "from": said.sender}
    line = Line(
        message,
        "customer",
        "sms",
        text=said.text,
        attachments=[each.model_dump(exclude_none=True) for each in said.attachments] or None,
        params=params,
        channel_message_id=said.channel_message_id,
        sent_at_ms=said.sent_at_ms,
    )
    if isinstance(said, Mail):
        line.kind, params["subject"] = "mail", said.subject
    _keep_line(work, conversation, cause, at_ms, line, said.ticket)
    ticket = tickets.find(work, conversation, given.tickets, said.ticket)
    if ticket is not None and not conversation.blocked:
        tickets.keep(work, conversation, cause, at_ms, ticket, reopened(ticket, at_ms))


def _keep_line(
    work: Work, conversation: Conversation, cause: Record, at_ms: int, line: Line, ticket: int
) -> None:
    transcript.append(work, conversation, cause, at_ms, line)
    work.ticket_lines.append((conversation, ticket, conversation.position))
    work.change(conversation)
