"""What a roster must be, or it is refused as a whole: each sentence names the thing and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from schemas.commands import Configure
from schemas.definitions import Agent, Department, Page, Rule
from workers.routing.desk import rule_refusals
from workers.routing.desk.access import admins
from workers.routing.desk.desk import Desk
from workers.routing.desk.roster import Entry
from workers.routing.desk.rule_refusals import unknown
from workers.routing.desk.ticket_fields import unfit
from workers.routing.outcomes import Refusal


def refusal(desk: Desk, command: Configure) -> Refusal | None:
    """The first thing that is wrong with `command`; none when it can be carried out."""
    found = (found for check in _CHECKS for found in check(desk, command))
    return next(found, None)


def _named_twice(_: Desk, command: Configure) -> Iterator[Refusal]:
    kinds: dict[str, Sequence[Agent | Department | Page | Rule]] = {
        "agent": command.agents,
        "department": command.departments,
        "page": command.pages,
        "rule": command.rules,
    }
    for kind, definitions in kinds.items():
        for id_, times in Counter(definition.id for definition in definitions).items():
            if times > 1:
                yield Refusal("named_twice", f"the {kind} {id_!r} stands there {times} times: keep one")


def _elsewhere(desk: Desk, command: Configure) -> Iterator[Refusal]:
    kinds: dict[str, Sequence[Page | Agent]] = {"page": command.pages, "agent": command.agents}
    for kind, definitions in kinds.items():
        for definition in definitions:
            if definition.id in desk.elsewhere:
                other = desk.elsewhere[definition.id]
                sentence = f"the {kind} {definition.id!r} belongs to the desk {other!r}: take it out here"
                yield Refusal("other_desk", sentence)


def _unknown_agents(_: Desk, command: Configure) -> Iterator[Refusal]:
    known = {agent.id for agent in command.agents}
    for department in command.departments:
        yield from unknown(f"the department {department.id!r}", "agent", department.agents, known)
    for rule in command.rules:
        yield from unknown(f"the rule {rule.id!r}", "agent", rule.agents, known)


def _unknown_departments(_: Desk, command: Configure) -> Iterator[Refusal]:
    known = {department.id for department in command.departments}
    for rule in command.rules:
        yield from unknown(f"the rule {rule.id!r}", "department", rule.departments, known)


def _unknown_pages(_: Desk, command: Configure) -> Iterator[Refusal]:
    known = {page.id for page in command.pages}
    for rule in command.rules:
        yield from unknown(f"the rule {rule.id!r}", "page", rule.pages, known)


def _not_allowed(desk: Desk, command: Configure) -> Iterator[Refusal]:
    """Who asks in an agent's name changes but the rules of the pages that he administers."""
    if command.by is None or command.authority == "admin":
        return
    roster = desk.roster
    kinds: dict[str, tuple[Mapping[str, Entry[Any]], Sequence[Any]]] = {
        "agents": (roster.agents, command.agents),
        "departments": (roster.departments, command.departments),
        "pages": (roster.pages, command.pages),
    }
    for kind, (known, wanted) in kinds.items():
        if _active(known) != {one.id: one for one in wanted}:
            yield Refusal("forbidden", f"only an admin of the workspace changes {kind}", allowed=("rules",))
    if command.policy != roster.policy:
        yield Refusal("forbidden", "only an admin of the workspace changes the policy", allowed=("rules",))
    for rule in _touched(_active(roster.rules), {rule.id: rule for rule in command.rules}):
        if rule.channels or not all(command.by in admins(desk, page) for page in rule.pages):
            sentence = f"the rule {rule.id!r} is for pages that you do not administer"
            yield Refusal("forbidden", sentence)


def _active(known: Mapping[str, Entry[Any]]) -> dict[str, Any]:
    return {id_: entry.definition for id_, entry in known.items() if entry.active}


def _touched(before: dict[str, Rule], after: dict[str, Rule]) -> Iterator[Rule]:
    """What the rules that differ say, before and after; those that others have must keep their order."""
    for one, other in ((before, after), (after, before)):
        yield from (rule for id_, rule in one.items() if other.get(id_) != rule)
    stay = [id_ for id_ in before if id_ in after], [id_ for id_ in after if id_ in before]
    yield from (before[id_] for id_, now in zip(*stay, strict=True) if id_ != now)


def _unfit_ticket_fields(_: Desk, command: Configure) -> Iterator[Refusal]:
    return unfit(command.policy.ticket_fields)


_CHECKS: tuple[Callable[[Desk, Configure], Iterator[Refusal]], ...] = (
    _named_twice,
    _not_allowed,
    _elsewhere,
    _unknown_agents,
    _unknown_departments,
    _unknown_pages,
    _unfit_ticket_fields,
    *rule_refusals.CHECKS,
)
