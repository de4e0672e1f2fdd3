"""The roster of a desk: its agents, departments, pages and rules, each with its version."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Generic, NamedTuple, TypeVar

from schemas.definitions import Agent, Department, Page, Policy, Rule
from schemas.ids import channel_of
from workers.routing.desk.layer import Layer

D = TypeVar("D", bound=Agent | Department | Page | Rule)


class Entry(NamedTuple, Generic[D]):
    """One of the roster. What was removed stays, inactive, so that its versions go on when it returns."""

    definition: D
    version: int
    active: bool
    position: int = 0
    """A rule's place in the order of rules."""


class Roster:
    """Who and what a desk consists of."""

    __slots__ = ("_rules_of", "agents", "departments", "pages", "policy", "policy_version", "rules")

    def __init__(self) -> None:
        self.agents: MutableMapping[str, Entry[Agent]] = {}
        self.departments: MutableMapping[str, Entry[Department]] = {}
        self.pages: MutableMapping[str, Entry[Page]] = {}
        self.rules: MutableMapping[str, Entry[Rule]] = {}
        self.policy = Policy()
        self.policy_version = 0
        """0: none was ever given."""
        self._rules_of: MutableMapping[str, tuple[tuple[int, str], ...]] = {}

    def fork(self) -> Roster:
        """A roster that says the same, and changes without changing this one."""
        fork = Roster()
        fork.agents = Layer(self.agents)
        fork.departments = Layer(self.departments)
        fork.pages = Layer(self.pages)
        fork.rules = Layer(self.rules)
        fork.policy, fork.policy_version = self.policy, self.policy_version
        fork._rules_of = Layer(self._rules_of)
        return fork

    @property
    def version(self) -> int:
        """How often anything of it has changed: each thing, once added, counts its changes for ever."""
        kinds = self.agents, self.departments, self.pages, self.rules
        return self.policy_version + sum(entry.version for kind in kinds for entry in kind.values())

    def has_agent(self, agent: str) -> bool:
        """Whether `agent` is one of the desk, and was not removed."""
        entry = self.agents.get(agent)
        return entry is not None and entry.active

    def rules_of(self, page: str) -> Iterator[Entry[Rule]]:
        """The rules that name `page` or its channel, in their order."""
        named = self._rules_of.get(page, ()), self._rules_of.get(channel_of(page), ())
        placed = sorted({*named[0], *named[1]}) if named[1] else named[0]
        return (self.rules[id_] for _, id_ in placed)

    def set_rule(self, entry: Entry[Rule]) -> None:
        """Let `entry` be the rule's text from here on."""
        id_ = entry.definition.id
        before = self.rules.get(id_)
        for name in _named(before.definition) if before is not None else ():
            rules = self._rules_of.get(name, ())
            self._rules_of[name] = tuple(rule for rule in rules if rule[1] != id_)
        for name in _named(entry.definition) if entry.active else ():
            rules = self._rules_of.get(name, ())
            self._rules_of[name] = tuple(sorted({*rules, (entry.position, id_)}))
        self.rules[id_] = entry


def _named(rule: Rule) -> tuple[str, ...]:
    """The pages and channels that a rule is for; their names are never alike."""
    return (*rule.pages, *rule.channels)
