"""E-mails of tickets: what an agent writes to the customer's address, and what comes back from there.

They stand in the transcript, and are no part of the chat: no session begins or goes on with them, nobody is
sought, and no channel's window opens.
"""

from __future__ import annotations

import orjson

from schemas.actions import SendMail
from schemas.envelope import Kind, time_text
from schemas.inbound import Mail
from schemas.messages import Sender
from schemas.tickets import TicketChange
from workers.channels.mail.address import is_address
from workers.routing.intake import tickets, transcript
from workers.routing.intake.act import Act, Answer, message_id_of
from workers.routing.intake.chain import BLOCKED
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.given import Given
from workers.routing.intake.rights import not_holder
from workers.routing.intake.ticket import Ticket, edited, reopened
from workers.routing.intake.transcript import Line
from workers.routing.intake.work import Work
from workers.routing.outcomes import Refusal
from workers.runtime.batch import Record

MAIL = Kind("outbound", "mail")


def send_mail(act: Act[SendMail]) -> Answer:
    """Write to the customer about a ticket; a draft becomes an open one."""
    work, conversation, cause, at_ms, action, given = act
    if conversation.blocked:
        return BLOCKED
    if refused := not_holder(conversation, action):
        return refused
    ticket = tickets.find(work, conversation, given.tickets, action.ticket)
    if ticket is None:
        return Refusal("unknown_ticket", f"the conversation has no ticket {action.ticket}")
    address = given.customer(conversation).profile.get("email", "")
    if not is_address(address):
        sentence = "the customer's profile has no e-mail address that can be written to: write it down first"
        return Refusal("no_address", sentence, allowed=("set_profile",))
    message = message_id_of(act)
    _append(act, message, ticket, address)
    if ticket.status == "draft":
        now = edited(ticket, TicketChange(), "open", at_ms, tickets.who(action))
        tickets.keep(work, conversation, cause, at_ms, ticket, now)
    return {"message": message, "position": conversation.position, "ticket": ticket.number}


def mail_came(
    work: Work, conversation: Conversation, cause: Record, at_ms: int, said: Mail, message: str, given: Given
) -> None:
    """The customer answered an e-mail: a closed ticket opens again, unless he is kept out."""
    line = Line(
        message,
        "customer",
        "mail",
        text=said.text,
        attachments=[each.model_dump(exclude_none=True) for each in said.attachments] or None,
        params={"ticket": said.ticket, "from": said.sender, "subject": said.subject},
        channel_message_id=said.channel_message_id,
        sent_at_ms=said.sent_at_ms,
    )
    _keep_line(work, conversation, cause, at_ms, line, said.ticket)
    ticket = tickets.find(work, conversation, given.tickets, said.ticket)
    if ticket is not None and not conversation.blocked:
        tickets.keep(work, conversation, cause, at_ms, ticket, reopened(ticket, at_ms))


def _append(act: Act[SendMail], message: str, ticket: Ticket, address: str) -> None:
    """Into the transcript, and to delivery as schemas.outbound.Mail."""
    work, conversation, cause, at_ms, action, _ = act
    subject = action.subject or ticket.subject
    params = {"ticket": ticket.number, "to": address, "subject": subject}
    sender: Sender = "bot" if action.by is None else "agent"
    line = Line(message, sender, "mail", tickets.who(action), action.text, params=params)
    _keep_line(work, conversation, cause, at_ms, line, ticket.number)
    value = {
        **conversation.facts,
        "page": conversation.page,
        "message": message,
        "position": conversation.position,
        "sender": action.actor,
        **params,
        "text": action.text,
        "at": time_text(at_ms),
    }
    work.batch.emit(cause, MAIL, key=cause.key, value=orjson.dumps(value), at_ms=at_ms)


def _keep_line(
    work: Work, conversation: Conversation, cause: Record, at_ms: int, line: Line, ticket: int
) -> None:
    transcript.append(work, conversation, cause, at_ms, line)
    work.ticket_lines.append((conversation, ticket, conversation.position))
    work.change(conversation)
