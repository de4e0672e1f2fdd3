"""What only an `amend` can say wrong: of parts that are not there, and what a workspace file would not say.

Of what nobody touches nothing is asked here, whatever it says: older commands were asked for less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from schemas.commands import Amend, Configure
from schemas.definitions import AGENTS_MAX, DEPARTMENTS_MAX, RULES_MAX, Agent, Department, Page, Rule
from workers.routing.desk.roster import Entry, Roster
from workers.routing.desk.rule_refusals import unknown
from workers.routing.outcomes import Refusal


def amend_refusal(roster: Roster, command: Amend, wanted: Configure) -> Refusal | None:
    """The first thing that is wrong with `command`, which would make the roster what is `wanted`."""
    found = (found for check in _CHECKS for found in check(roster, command, wanted))
    return next(found, None)


def _named_twice(_: Roster, command: Amend, __: Configure) -> Iterator[Refusal]:
    removed = command.removed
    kinds: dict[str, tuple[Sequence[Agent | Department | Page | Rule], Collection[str]]] = {
        "agent": (command.agents, removed.agents),
        "department": (command.departments, removed.departments),
        "page": (command.pages, ()),
        "rule": (command.rules, removed.rules),
    }
    for kind, (said, gone) in kinds.items():
        for id_, times in Counter((*(one.id for one in said), *gone)).items():
            if times > 1:
                yield Refusal("named_twice", f"the change names the {kind} {id_!r} {times} times: keep one")


def _not_there(roster: Roster, command: Amend, _: Configure) -> Iterator[Refusal]:
    """What is to be removed, changed, or come behind: none of it can be what there is not."""
    removed = command.removed
    kinds: tuple[tuple[str, Collection[str], Mapping[str, Entry[Any]]], ...] = (
        ("agent", removed.agents, roster.agents),
        ("department", removed.departments, roster.departments),
        ("rule", removed.rules, roster.rules),
        ("page", [page.id for page in command.pages], roster.pages),
    )
    for kind, named, known in kinds:
        yield from unknown("the change", kind, named, _active(known))
    if command.before is not None:
        yield from unknown(
            "the change", "rule", (command.before,), _active(roster.rules) - set(removed.rules)
        )


def _order(_: Roster, command: Amend, wanted: Configure) -> Iterator[Refusal]:
    if command.order and command.before is not None:
        yield Refusal("bad_order", "the change says an order and a rule to come before: say one of them")
    rules = [rule.id for rule in wanted.rules]
    if command.order and sorted(command.order) != sorted(rules):
        yield Refusal("bad_order", "the order is not one of this desk's rules: name each of them once")


def _too_many(_: Roster, __: Amend, wanted: Configure) -> Iterator[Refusal]:
    kinds: dict[str, tuple[Sequence[object], int]] = {
        "agents": (wanted.agents, AGENTS_MAX),
        "departments": (wanted.departments, DEPARTMENTS_MAX),
        "rules": (wanted.rules, RULES_MAX),
    }
    for kind, (all_, most) in kinds.items():
        if len(all_) > most:
            yield Refusal(
                "too_many", f"the desk would have {len(all_)} {kind}, and takes {most}: remove some"
            )


def _nobody(_: Roster, command: Amend, __: Configure) -> Iterator[Refusal]:
    for rule in command.rules:
        if not (rule.agents or rule.departments):
            sentence = f"the rule {rule.id!r} names nobody who could answer: add agents or departments"
            yield Refusal("nobody_named", sentence)
        if not (rule.pages or rule.channels):
            yield Refusal("no_page_named", f"the rule {rule.id!r} names no page: add pages or channels")


def _strangers(_: Roster, command: Amend, wanted: Configure) -> Iterator[Refusal]:
    """Owners and admins are agents of the desk: of what is said, and of what those had who are removed."""
    known = {agent.id for agent in wanted.agents}
    rules, pages = {rule.id for rule in command.rules}, {page.id for page in command.pages}
    removed = set(command.removed.agents)
    for rule in wanted.rules:
        if rule.id in rules or rule.owner in removed:
            yield from unknown(f"the owner of the rule {rule.id!r}", "agent", (rule.owner,), known)
    for page in wanted.pages:
        if page.id in pages or not removed.isdisjoint(page.admins):
            yield from unknown(f"the page {page.id!r}", "agent", page.admins, known)


def _active(known: Mapping[str, Entry[Any]]) -> set[str]:
    return {id_ for id_, entry in known.items() if entry.active}


_CHECKS: tuple[Callable[[Roster, Amend, Configure], Iterator[Refusal]], ...] = (
    _named_twice,
    _not_there,
    _order,
    _too_many,
    _nobody,
    _strangers,
)
