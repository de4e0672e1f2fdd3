"""One ticket, and what sessions and people make of it: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from schemas.tickets import VALUE_CHARS_MAX, FieldValue, TicketChange, TicketField, TicketStatus
from workers.routing.outcomes import Refusal

BY_HAND: Mapping[TicketStatus, tuple[TicketStatus, ...]] = {
    "draft": ("open", "pending", "closed"),
    "open": ("pending", "closed"),
    "pending": ("open", "closed"),
    "closed": ("open",),
}
"""What agents may make of each; a draft is opened by itself, too, and nothing becomes one."""


class Ticket(NamedTuple):
    """A row of `ticket`. Times in ms since 1970."""

    number: int
    session: int
    first_position: int
    """Of the transcript: what it is about begins here."""
    created_at_ms: int
    changed_at_ms: int
    status: TicketStatus = "draft"
    subject: str = ""
    fields: Mapping[str, FieldValue] = {}  # replaced, never changed
    agent: str | None = None
    changed_by: str | None = None
    """None: by itself; a draft: nobody has touched it."""


def begun(last: Ticket | None, session: int, first_position: int, at_ms: int, agent: str | None) -> Ticket:
    """The next one, a draft; `agent` holds the conversation."""
    number = 1 if last is None else last.number + 1
    return Ticket(number, session, first_position, at_ms, at_ms, agent=agent)


def given_to(ticket: Ticket, agent: str, session: int, at_ms: int) -> Ticket:
    """The same when `agent` was given the conversation in its session `session`."""
    if ticket.session != session or ticket.agent == agent:
        return ticket
    # Who has touched a draft stays: from then on all that becomes of it is told.
    changed_by = ticket.changed_by if ticket.status == "draft" else None
    return ticket._replace(agent=agent, changed_at_ms=at_ms, changed_by=changed_by)


def is_handed_over(was: Ticket | None, now: Ticket) -> bool:
    """Whether it is only another agent's, which it becomes by itself."""
    return was is not None and was.agent != now.agent


def settled(ticket: Ticket, at_ms: int, *, session_open: bool, agent_wrote: bool) -> Ticket:
    """The same as it is without anybody: a draft opens when its session is over and an agent had a part."""
    if ticket.status != "draft" or session_open or not (agent_wrote or ticket.agent):
        return ticket
    return ticket._replace(status="open", changed_at_ms=at_ms, changed_by=None)


def reopened(ticket: Ticket, at_ms: int) -> Ticket:
    """The same when the customer has come back to it."""
    if ticket.status != "closed":
        return ticket
    return ticket._replace(status="open", changed_at_ms=at_ms, changed_by=None)


def refusal(
    ticket: Ticket, change: TicketChange, status: TicketStatus | None, fields: Sequence[TicketField]
) -> Refusal | None:
    """Why it cannot be changed so; `fields` are those that a ticket can have."""
    if status is not None and status != ticket.status and status not in BY_HAND[ticket.status]:
        sentence = f"from {ticket.status!r} nobody can make it {status!r}"
        return Refusal("bad_transition", sentence, allowed=BY_HAND[ticket.status])
    wrong = next(_wrong(change, {field.id: field for field in fields}), None)
    return wrong or _unfinished(ticket, edited(ticket, change, status, 0, ""), fields)


def edited(ticket: Ticket, change: TicketChange, status: TicketStatus | None, at_ms: int, by: str) -> Ticket:
    """The same as `by` wants it; the very same, when he wants nothing else."""
    said = {**ticket.fields, **change.fields}
    values = {name: value for name, value in said.items() if value is not None and value != ""}
    wanted = ticket._replace(
        status=status or ticket.status,
        subject=ticket.subject if change.subject is None else change.subject,
        fields=values,
    )
    return ticket if wanted == ticket else wanted._replace(changed_at_ms=at_ms, changed_by=by)


def _unfinished(was: Ticket, now: Ticket, fields: Sequence[TicketField]) -> Refusal | None:
    """Why it cannot be closed, or stay so; what became required after it was closed is not asked for."""
    if now.status != "closed":
        return None
    asked = (field for field in fields if field.required and field.id not in now.fields)
    lacking = {field.id: field.name for field in asked if was.status != "closed" or field.id in was.fields}
    if not lacking:
        return None
    sentence = f"it cannot be closed without {', '.join(lacking.values())}"
    return Refusal("field_required", sentence, allowed=tuple(lacking))


def _wrong(change: TicketChange, known: Mapping[str, TicketField]) -> Iterator[Refusal]:
    for name, value in change.fields.items():
        field = known.get(name)
        if field is None:
            if value is not None:  # what is known no more may be cleared
                yield Refusal("unknown_field", f"tickets have no field {name!r}", allowed=tuple(known))
        elif value not in (None, "") and (said := _misfit(field, value)):
            yield Refusal(
                "bad_field", f"{field.name}: {said}", allowed=field.choices, details={"field": field.id}
            )


def _misfit(field: TicketField, value: Any) -> str:  # noqa: ANN401  any value of a field
    """Why `value` is none of `field`, in words; empty when it is one."""
    match field.type:
        case "yes_no":
            return "" if isinstance(value, bool) else "true or false is expected"
        case "number":
            return _misfit_of_number(field, value)
        case _ if not isinstance(value, str):
            return "a text is expected"
        case "date":
            return "" if _is_date(value) else "a date such as 2026-11-22 is expected"
        case "choice":
            return "" if value in field.choices else "it is none of the choices"
    most = field.chars_max or VALUE_CHARS_MAX
    return f"at most {most} characters are allowed" if len(value) > most else ""


def _misfit_of_number(field: TicketField, value: Any) -> str:  # noqa: ANN401  as above
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "a number is expected"
    if field.least is not None and value < field.least:
        return f"at least {field.least:g} is expected"
    if field.most is not None and value > field.most:
        return f"at most {field.most:g} is expected"
    return ""


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
