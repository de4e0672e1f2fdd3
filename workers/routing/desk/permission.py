"""What of a roster who may change: an admin of the workspace all, a page's admin the rules of his pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schemas.commands import Configure
from schemas.definitions import Rule
from workers.routing.desk.access import admins
from workers.routing.desk.desk import Desk
from workers.routing.desk.roster import Entry
from workers.routing.outcomes import Refusal


def not_allowed(desk: Desk, command: Configure) -> Iterator[Refusal]:
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
    before = _in_order(roster.rules)
    for rule in _touched(before, command.rules):
        if not _is_his(desk, command, rule):
            yield Refusal("forbidden", f"the rule {rule.id!r} is for pages that you do not administer")
    of_others = (
        [one.id for one in rules if not _is_his(desk, command, one)] for rules in (before, command.rules)
    )
    if next(of_others) != next(of_others):
        yield Refusal("forbidden", "the rules of pages that you do not administer keep their order")


def _is_his(desk: Desk, command: Configure, rule: Rule) -> bool:
    return not rule.channels and all(command.by in admins(desk, page) for page in rule.pages)


def _touched(before: Sequence[Rule], after: Sequence[Rule]) -> Iterator[Rule]:
    """What the rules that differ say, before and after."""
    for some, others in ((before, after), (after, before)):
        said = {rule.id: rule for rule in others}
        yield from (rule for rule in some if said.get(rule.id) != rule)


def _active(known: Mapping[str, Entry[Any]]) -> dict[str, Any]:
    return {id_: entry.definition for id_, entry in known.items() if entry.active}


def _in_order(known: Mapping[str, Entry[Rule]]) -> list[Rule]:
    active = (entry for entry in known.values() if entry.active)
    return [entry.definition for entry in sorted(active, key=lambda entry: entry.position)]
