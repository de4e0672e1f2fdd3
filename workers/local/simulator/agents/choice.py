"""What an agent does next: a pure choice of what he knows, is like, and by chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Any

from workers.local.simulator.agents.act import Act
from workers.local.simulator.agents.habits import Habits
from workers.local.simulator.agents.words import invent_answer, invent_note, invent_subject
from workers.local.simulator.agents.workplace import Held, Workplace

CARES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "accepted": ("pending_close", "pending_close", "closed_won", "refused"),
        "pending_close": ("closed_won", "closed_won", "refused"),
        "closed_won": ("done",),
    }
)
"""To where he brings a conversation from each care status; what stands there twice is twice as likely."""
OTHERS = ("set_care", "set_care", "write_note", "open_ticket", "transfer", "mark_read", "end_session")


@dataclass(frozen=True)
class Company:
    """What everybody knows who works here.

    Attributes:
        colleagues: all agents' ids, his own among them.
        admins: their ids by page: who may see what he holds there.
        departments: ids.
        reasons: for refusing a customer.
    """

    colleagues: Sequence[str]
    admins: Mapping[str, Sequence[str]]
    departments: Sequence[str]
    reasons: Sequence[str]


def choose(place: Workplace, company: Company, habits: Habits, random: Random) -> Act | None:
    """What to do next; none: there is nothing to be done."""
    if place.asked:
        return _about_transfer(next(iter(place.asked)), habits, random)
    waiting = [conversation for conversation, held in place.held.items() if held.waits]
    if waiting and random.random() < habits.answer:
        return say(random.choice(waiting), random)
    known = [conversation for conversation, held in place.held.items() if held.answered]
    if not known:
        return None
    conversation = random.choice(known)
    return _about_held(conversation, place.held[conversation], company, random)


def say(conversation: str, random: Random) -> Act:
    """An answer, which is a claim where nobody holds the conversation."""
    return Act("say", conversation, {"text": invent_answer(random)})


def _about_transfer(conversation: str, habits: Habits, random: Random) -> Act:
    accepts = random.random() < habits.accept
    return Act("transfer_accept" if accepts else "transfer_reject", conversation, {})


def _about_held(conversation: str, held: Held, company: Company, random: Random) -> Act | None:
    call = random.choice(OTHERS)
    body: dict[str, Any] | None = None
    match call:
        case "set_care" if held.care in CARES:
            body = _care(held.care, company, random)
        case "transfer" if not held.transferring:
            body = _target(company, random)
        case "end_session" if held.session_open:
            body = {}
        case "mark_read":
            body = {"position": held.position}
        case "open_ticket":
            body = {"subject": invent_subject(random)}
        case "write_note" if admins := company.admins.get(held.page):
            colleague = random.choice(admins)
            body = {"text": invent_note(random, colleague), "mentions": [colleague]}
    return None if body is None else Act(call, conversation, body)


def _care(care: str, company: Company, random: Random) -> dict[str, str]:
    to = random.choice(CARES[care])
    if to == "refused":
        return {"care": to, "reason": random.choice(company.reasons)}
    return {"care": to, "outcome": "won"} if to == "done" else {"care": to}


def _target(company: Company, random: Random) -> dict[str, str]:
    """One colleague, or now and then a whole department; who is not online cannot be chosen."""
    if random.random() < 1 / 3:
        return {"to_department": random.choice(company.departments)}
    return {"to_agent": random.choice(company.colleagues)}
