"""What a roster must be, or it is refused as a whole: each sentence names the thing and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from schemas.commands import Configure
from schemas.definitions import Agent, Department, Page, Rule
from workers.routing.desk.desk import Desk
from workers.routing.desk.outcomes import Refusal


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
        yield from _unknown(f"the department {department.id!r}", "agent", department.agents, known)
    for rule in command.rules:
        yield from _unknown(f"the rule {rule.id!r}", "agent", rule.agents, known)


def _unknown_departments(_: Desk, command: Configure) -> Iterator[Refusal]:
    known = {department.id for department in command.departments}
    for rule in command.rules:
        yield from _unknown(f"the rule {rule.id!r}", "department", rule.departments, known)


def _unknown_pages(_: Desk, command: Configure) -> Iterator[Refusal]:
    known = {page.id for page in command.pages}
    for rule in command.rules:
        yield from _unknown(f"the rule {rule.id!r}", "page", rule.pages, known)


def _unknown(who: str, kind: str, named: Iterable[str], known: set[str]) -> Iterator[Refusal]:
    for name in named:
        if name not in known:
            sentence = f"{who} names the {kind} {name!r}, which this desk has not: add it, or take it out"
            yield Refusal(f"unknown_{kind}", sentence)


_CHECKS: tuple[Callable[[Desk, Configure], Iterator[Refusal]], ...] = (
    _named_twice,
    _elsewhere,
    _unknown_agents,
    _unknown_departments,
    _unknown_pages,
)
