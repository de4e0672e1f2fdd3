"""E-mails of tickets: what an agent writes to the customer's address."""

from __future__ import annotations

from schemas.actions import SendMail
from workers.channels.mail.address import is_address
from workers.routing.intake.act import Act, Answer
from workers.routing.intake.outreach import reach, ticket_of
from workers.routing.outcomes import Refusal


def send_mail(act: Act[SendMail]) -> Answer:
    """Write to the customer about a ticket."""
    ticket = ticket_of(act)
    if isinstance(ticket, Refusal):
        return ticket
    address = act.given.customer(act.conversation).profile.get("email", "")
    if not is_address(address):
        sentence = "the customer's profile has no e-mail address that can be written to: write it down first"
        return Refusal("no_address", sentence, allowed=("set_profile",))
    headers = {"to": address, "subject": act.action.subject or ticket.subject}
    attachments = [each.model_dump(exclude_none=True) for each in act.action.attachments]
    said = {**headers, "text": act.action.text, "attachments": attachments}
    return reach(act, ticket, "mail", said, headers)
