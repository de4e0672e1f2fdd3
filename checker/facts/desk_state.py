"""A desk replayed from its events: agents with their loads, rules with their lists, who waits."""

from __future__ import annotations

from dataclasses import dataclass, field

from checker.facts.chains import Chain, Link
from checker.facts.roster import RosterEvent
from checker.record import Json

NEVER = -1


@dataclass(slots=True)
class Agent:
    """One agent; `eligible_since` is the step at which he last became able to take one more."""

    active: bool = False
    capacity: int | None = None
    load: int = 0
    eligible_since: int = NEVER

    @property
    def eligible(self) -> bool:
        return self.active and (self.capacity is None or self.load < self.capacity)


@dataclass(slots=True)
class Rule:
    """One rule: since which step each agent is listed, and what waits under it."""

    version: int = 0
    definition: Json = field(default_factory=dict)
    listed_since: dict[str, int] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)


class DeskState:
    """The state of one desk after some steps.

    `freed` (agents who became eligible) and `relisted` (rules with another list or version) are for those who
    watch, to be cleared by them.
    """

    def __init__(self) -> None:
        self.agents: dict[str, Agent] = {}
        self.departments: dict[str, list[str]] = {}
        self.rules: dict[str, Rule] = {}
        self.freed: set[str] = set()
        self.relisted: set[str] = set()
        self._open: dict[str, tuple[str | None, bool]] = {}
        self._waits_under: dict[str, str] = {}

    def change(self, event: RosterEvent, step: int) -> None:
        """Apply a roster event."""
        match event.kind:
            case "agent":
                self._change_agent(event, step)
            case "department":
                self.departments[event.name] = [] if event.removed else list(event.definition["agents"])
                self._relist(step)
            case "rule":
                self._change_rule(event, step)

    def follow(self, chain: Chain, link: Link, step: int) -> None:
        """Apply an event of a chain: who carries its session, and whether it waits."""
        holder, open_ = self._open.get(chain.conversation, (None, False))
        now_open = link.what == "session_opened" or (open_ and link.what != "session_closed")
        if open_ and holder is not None:
            self._carry(holder, -1, step)
        if now_open and link.holder is not None:
            self._carry(link.holder, +1, step)
        self._open[chain.conversation] = (link.holder, now_open)
        self._wait(chain.conversation, link)

    def listed(self, rule: str) -> dict[str, int]:
        """The agents of a rule, each with the step since when."""
        found = self.rules.get(rule)
        return {} if found is None else found.listed_since

    def agent(self, name: str) -> Agent:
        """The agent; one that the roster never named is not active."""
        return self.agents.setdefault(name, Agent())

    def _change_agent(self, event: RosterEvent, step: int) -> None:
        agent = self.agent(event.name)
        before = agent.eligible
        agent.active = not event.removed
        agent.capacity = event.definition.get("capacity")
        self._settle(event.name, before=before, step=step)

    def _carry(self, name: str, by: int, step: int) -> None:
        agent = self.agent(name)
        before = agent.eligible
        agent.load += by
        self._settle(name, before=before, step=step)

    def _settle(self, name: str, *, before: bool, step: int) -> None:
        agent = self.agents[name]
        if agent.eligible and not before:
            agent.eligible_since = step
            self.freed.add(name)

    def _change_rule(self, event: RosterEvent, step: int) -> None:
        rule = self.rules.setdefault(event.name, Rule())
        rule.version = event.version
        rule.definition = {} if event.removed else event.definition
        self.relisted.add(event.name)
        self._relist(step)

    def _relist(self, step: int) -> None:
        """Every rule's list as agents and departments are now; those who stay keep their step."""
        for name, rule in self.rules.items():
            wanted = list(rule.definition.get("agents", ()))
            for department in rule.definition.get("departments", ()):
                wanted += self.departments.get(department, [])
            listed = {agent: rule.listed_since.get(agent, step) for agent in wanted}
            if listed.keys() != rule.listed_since.keys():
                self.relisted.add(name)
                self.freed.update(listed.keys() - rule.listed_since.keys())
            rule.listed_since = listed

    def _wait(self, conversation: str, link: Link) -> None:
        before = self._waits_under.pop(conversation, None)
        if before is not None:
            self.rules[before].waiting.discard(conversation)
        rule = link.rule or before
        if link.standing == "queued" and rule is not None:
            self._waits_under[conversation] = rule
            self.rules.setdefault(rule, Rule()).waiting.add(conversation)
