"""The difference between a desk's roster and the one that is asked for, as events with versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from operator import itemgetter
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from schemas.commands import Configure
from schemas.definitions import Agent, Department, Page, Policy, Rule
from schemas.roster import AgentChanged, DepartmentChanged, PageChanged, PolicyChanged, RuleChanged
from workers.routing.desk.decision import Draft
from workers.routing.desk.desk import Desk
from workers.routing.desk.ring import NOBODY
from workers.routing.desk.roster import Entry

D = TypeVar("D", bound=Agent | Department | Page | Rule)
Word = Literal["added", "changed", "removed"]
Counts = dict[str, dict[Word, int]]
"""How many were added, changed and removed of each kind."""


class Change(NamedTuple, Generic[D]):
    """One difference."""

    word: Word
    definition: D
    version: int

    def fields(self, draft: Draft) -> dict[str, Any]:
        """What every event of the roster says."""
        return said(draft, self.version) | {"removed": self.word == "removed"}


def said(draft: Draft, version: int) -> dict[str, Any]:
    """The same of a thing that is not removed."""
    return {
        "workspace": draft.desk.workspace,
        "desk": draft.desk.id,
        "at": draft.place.at,
        "version": version,
        "cause": draft.place.cause,
    }


def change_roster(draft: Draft, command: Configure) -> Counts:
    """Say what changes; the departments before the rules, whose rotations follow from them."""
    counts: Counts = {kind: _none() for kind in ("agents", "departments", "pages", "rules", "policy")}
    for agent in list(_changes(draft.desk.roster.agents, command.agents)):
        draft.say(AgentChanged(**agent.fields(draft), agent=agent.definition))
        counts["agents"][agent.word] += 1
    for department in list(_changes(draft.desk.roster.departments, command.departments)):
        draft.say(DepartmentChanged(**department.fields(draft), department=department.definition))
        counts["departments"][department.word] += 1
    for page in list(_changes(draft.desk.roster.pages, command.pages)):
        draft.say(PageChanged(**page.fields(draft), page=page.definition))
        counts["pages"][page.word] += 1
    _change_rules(draft, command.rules, counts["rules"])
    _change_policy(draft, command.policy, counts["policy"])
    return counts


def _change_policy(draft: Draft, policy: Policy, counts: dict[Word, int]) -> None:
    roster = draft.desk.roster
    if policy == roster.policy:
        return
    counts["changed" if roster.policy_version else "added"] += 1
    draft.say(PolicyChanged(**said(draft, roster.policy_version + 1), policy=policy))


def _change_rules(draft: Draft, rules: tuple[Rule, ...], counts: dict[Word, int]) -> None:
    positions = {rule.id: position for position, rule in enumerate(rules)}
    touched = {rule.id for rule in rules if _turns_otherwise(draft.desk, rule, positions[rule.id])}
    for change in list(_changes(draft.desk.roster.rules, rules, touched)):
        rule = change.definition
        ring = draft.desk.rings.get(rule.id, NOBODY)
        listed = () if change.word == "removed" else _listed(draft.desk, rule)
        draft.say(
            RuleChanged(
                **change.fields(draft),
                rule=rule,
                position=positions.get(rule.id, 0),
                ring=ring.relisted(listed),
            )
        )
        counts[change.word] += 1


def _turns_otherwise(desk: Desk, rule: Rule, position: int) -> bool:
    """Whether a rule changes without its text: it moved, or a department of it did."""
    entry = desk.roster.rules.get(rule.id)
    return entry is not None and (
        entry.position != position or desk.rings[rule.id].seats.keys() != set(_listed(desk, rule))
    )


def _listed(desk: Desk, rule: Rule) -> tuple[str, ...]:
    """The agents of a rule and of its departments, in order, without doubles."""
    departments = (desk.roster.departments[department].definition.agents for department in rule.departments)
    return tuple(dict.fromkeys(chain(rule.agents, *departments)))


def _changes(
    known: Mapping[str, Entry[D]], wanted: Iterable[D], touched: frozenset[str] | set[str] = frozenset()
) -> Iterator[Change[D]]:
    """What differs between `known` and `wanted`, `touched` ones in any case; who goes by their ids."""
    left = {id_: entry for id_, entry in known.items() if entry.active}
    for definition in wanted:
        entry = left.pop(definition.id, None)
        if entry is None or entry.definition != definition or definition.id in touched:
            last = known.get(definition.id)
            yield Change("changed" if entry else "added", definition, last.version + 1 if last else 1)
    for _, entry in sorted(left.items(), key=itemgetter(0)):
        yield Change("removed", entry.definition, entry.version + 1)


def _none() -> dict[Word, int]:
    return {"added": 0, "changed": 0, "removed": 0}
