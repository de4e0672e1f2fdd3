"""What tickets can say: an admin of the workspace defines it, by itself or with all the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from schemas.asks import SetTicketFields
from schemas.roster import PolicyChanged
from schemas.tickets import TicketField, mistake_of
from workers.routing.desk.changes import said
from workers.routing.desk.decision import Draft
from workers.routing.desk.outcomes import done, refuse
from workers.routing.outcomes import Refusal


def set_ticket_fields(draft: Draft, command: SetTicketFields) -> None:
    """Define them anew, all of them or none. What tickets say already, they go on saying."""
    refusal = next(unfit(command.fields), None)
    if command.authority != "admin":
        refusal = Refusal("forbidden", "only an admin of the workspace says what tickets can say")
    if refusal is not None:
        refuse(draft, command, refusal)
        return
    roster = draft.desk.roster
    policy = roster.policy.model_copy(update={"ticket_fields": command.fields})
    if policy != roster.policy:
        draft.say(PolicyChanged(**said(draft, roster.policy_version + 1), policy=policy))
    done(draft, command, {"fields": [field.id for field in command.fields]})


def unfit(fields: Sequence[TicketField]) -> Iterator[Refusal]:
    """Why these cannot be what tickets say."""
    for id_, times in Counter(field.id for field in fields).items():
        if times > 1:
            yield Refusal("named_twice", f"the ticket field {id_!r} stands there {times} times: keep one")
    for field in fields:
        if wrong := mistake_of(field):
            yield Refusal("bad_field", f"the ticket field {field.id!r} cannot be used: {wrong}")
