"""SMS and calls of tickets: to the customer's number, or one that the ticket names."""

from __future__ import annotations

from schemas.actions import PhoneOutreach, SendSms, StartCall
from schemas.phones import e164
from workers.channels.phone.segments import SEGMENTS_MAX, segments_of
from workers.routing.intake.act import Act, Answer
from workers.routing.intake.customer import Customer
from workers.routing.intake.outreach import reach, ticket_of
from workers.routing.intake.ticket import Ticket
from workers.routing.outcomes import Refusal


def send_sms(act: Act[SendSms]) -> Answer:
    """Send the customer an SMS about a ticket."""
    ticket = ticket_of(act)
    if isinstance(ticket, Refusal):
        return ticket
    alphabet, count = segments_of(act.action.text)
    if count > SEGMENTS_MAX:
        sentence = (
            f"the text takes {count} SMS in {alphabet}, and at most {SEGMENTS_MAX} are sent: shorten it"
        )
        return Refusal("too_long", sentence)
    number = _number(act.action, ticket, act.given.customer(act.conversation))
    if isinstance(number, Refusal):
        return number
    done = reach(
        act, ticket, "sms", {"to": number, "text": act.action.text}, {"to": number, "segments": count}
    )
    return {**done, "segments": count}


def start_call(act: Act[StartCall]) -> Answer:
    """Have the agent rung, and then the customer."""
    ticket = ticket_of(act)
    if isinstance(ticket, Refusal):
        return ticket
    number = _number(act.action, ticket, act.given.customer(act.conversation))
    if isinstance(number, Refusal):
        return number
    agent_phone = e164(act.action.agent_phone)
    if agent_phone is None or agent_phone == number:
        return Refusal("bad_phone", "agent_phone is not a number at which an agent can be rung")
    numbers = {"to": number, "agent_phone": agent_phone}
    return reach(act, ticket, "call", numbers, numbers)


def _number(action: PhoneOutreach, ticket: Ticket, customer: Customer) -> str | Refusal:
    """Of the ticket's field that is named, or else what the channel vouches for, or else the profile's."""
    if action.field is not None:
        said = ticket.fields.get(action.field)
        number = e164(str(said)) if said is not None else None
        sentence = f"the ticket's field {action.field} holds no phone number"
        return number or Refusal("no_phone", sentence, allowed=("edit_ticket",))
    known = customer.verified_phone, customer.profile.get("phone")
    number = next((found for each in known if (found := e164(each))), None)
    sentence = "the customer's profile has no phone number that can be reached: write it down first"
    return number or Refusal("no_phone", sentence, allowed=("set_profile",))
