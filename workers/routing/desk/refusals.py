"""What a roster must be, or it is refused as a whole: each sentence names the thing and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from schemas.commands import Configure
from schemas.definitions import Agent, Department, Page, Rule
from workers.routing.desk import rule_refusals
from workers.routing.desk.desk import Desk
from workers.routing.desk.permission import not_allowed
from workers.routing.desk.rule_refusals import unknown
from workers.routing.desk.ticket_fields import unfit
from workers.routing.outcomes import Refusal


def refusal(desk: Desk, command: Configure) -> Refusal | None:
    """The first thing that is wrong with `command`; none when it can be carried out."""
    found = (found for check in _CHECKS for found in check(desk, command))
    return next(found, None)


def _moved(desk: Desk, command: Configure) -> Iterator[Refusal]:
    """What was written for a roster that is not this one may undo what somebody else has done since."""
    present = desk.roster.version
    if command.version not in (None, present):
        sentence = (
            f"the roster has changed since you read it: it has the version {present} now, read it again"
        )
        yield Refusal("moved", sentence, details={"version": present})


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


def _unfit_ticket_fields(_: Desk, command: Configure) -> Iterator[Refusal]:
    return unfit(command.policy.ticket_fields)


_CHECKS: tuple[Callable[[Desk, Configure], Iterator[Refusal]], ...] = (
    _moved,
    _named_twice,
    not_allowed,
    _elsewhere,
    _unknown_agents,
    _unknown_departments,
    _unknown_pages,
    _unfit_ticket_fields,
    *rule_refusals.CHECKS,
)
