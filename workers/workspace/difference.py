"""What a workspace file would change: its rosters beside those that the desks have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from schemas.definitions import Agent, Department, Page, Policy, Rule
from workers.workspace.workspace import DeskRoster

Word = Literal["added", "changed", "removed"]
Kind = Literal["agent", "department", "page", "rule", "policy"]
Definition = Agent | Department | Page | Rule


@dataclass(frozen=True)
class Change:
    """One thing that would be other than it is."""

    word: Word
    kind: Kind
    id: str
    name: str
    why: str = ""
    """For what changes: the fields that do."""


@dataclass(frozen=True)
class DeskChange:
    """All that would change on one desk, and the roster that it would have then."""

    roster: DeskRoster
    changes: tuple[Change, ...]
    leaving: tuple[str, ...] = ()
    """Agents who would give up what they hold: removed, or sent on leave."""


def changes_of(present: DeskRoster, wanted: DeskRoster) -> DeskChange:
    """Return how `wanted` differs from `present`; of leave, what is not said stays as it is."""
    wanted = replace(wanted, agents=tuple(_with_leave(present.agents, wanted.agents)))
    changes = (
        *_changes("agent", present.agents, wanted.agents),
        *_changes("department", present.departments, wanted.departments),
        *_changes("page", present.pages, wanted.pages),
        *_changes("rule", present.rules, wanted.rules),
        *_moved_rules(present.rules, wanted.rules),
        *_policy(present.policy, wanted.policy),
    )
    return DeskChange(wanted, changes, tuple(_leaving(present.agents, wanted.agents)))


def _leaving(present: Sequence[Agent], wanted: Sequence[Agent]) -> Iterator[str]:
    away = {agent.id for agent in present if agent.on_leave}
    stay = {agent.id for agent in wanted if not agent.on_leave or agent.id in away}
    return (agent.id for agent in present if agent.id not in stay)


def _changes(kind: Kind, present: Sequence[Definition], wanted: Sequence[Definition]) -> Iterator[Change]:
    before = {one.id: one for one in present}
    after = {one.id: one for one in wanted}
    for id_, one in after.items():
        if id_ not in before:
            yield Change("added", kind, id_, one.name)
        elif before[id_] != one:
            yield Change("changed", kind, id_, one.name, ", ".join(_fields(before[id_], one)))
    for id_, one in before.items():
        if id_ not in after:
            yield Change("removed", kind, id_, one.name)


def _with_leave(present: Sequence[Agent], wanted: Sequence[Agent]) -> Iterator[Agent]:
    on_leave = {agent.id for agent in present if agent.on_leave}
    for agent in wanted:
        unsaid = "on_leave" not in agent.model_fields_set and agent.id in on_leave
        yield agent.model_copy(update={"on_leave": True}) if unsaid else agent


def _policy(present: Policy, wanted: Policy) -> Iterator[Change]:
    if fields := ", ".join(_fields(present, wanted)):
        yield Change("changed", "policy", "policy", "what holds for the whole desk", fields)


def _fields(before: Definition | Policy, after: Definition | Policy) -> Iterator[str]:
    """Yield the names of the fields in which two definitions differ."""
    for name in type(after).model_fields:
        if getattr(before, name) != getattr(after, name):
            yield name


def _moved_rules(present: Sequence[Rule], wanted: Sequence[Rule]) -> Iterator[Change]:
    """Yield the rules that stay as they are, but at another place in the order among those that stay."""
    after = {rule.id: rule for rule in wanted}
    before = {rule.id: rule for rule in present}
    order_before = [rule.id for rule in present if rule.id in after]
    order_after = [rule.id for rule in wanted if rule.id in before]
    for was, is_ in zip(order_before, order_after, strict=True):
        if was != is_ and before[is_] == after[is_]:
            yield Change("changed", "rule", is_, after[is_].name, "order")


def counts(changes: Iterable[Change]) -> dict[Kind, dict[Word, int]]:
    """Return how many of each kind are added, changed and removed; only what there is."""
    found: dict[Kind, dict[Word, int]] = {}
    for change in changes:
        words = found.setdefault(change.kind, {})
        words[change.word] = words.get(change.word, 0) + 1
    return found
