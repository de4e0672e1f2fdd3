"""A desk replayed from its events: agents and their loads, rules and lists, conversations, who waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from checker.facts.chains import Chain, Link
from checker.facts.conversation import Conversation
from checker.facts.roster import RosterEvent
from checker.record import Json

BY_ITSELF = frozenset(("round_robin", "least_busy", "last_agent", "fallback", "reopened"))
"""The methods by which a desk gives somebody a conversation without being told whom."""
PACED = BY_ITSELF - {"reopened"}
"""Those that count for a rule's limits on new conversations."""


@dataclass(slots=True)
class Agent:
    """One agent; `given` is when the desk last gave him new conversations, as far as limits look back, and
    `got_ms` when he last got one, however it came.
    """

    active: bool = False
    on_leave: bool = False
    capacity: int | None = None
    channel_capacity: dict[str, int] = field(default_factory=dict)
    presence: str = "offline"
    loads: dict[str, int] = field(default_factory=dict)
    """Open sessions that are not silent, by channel."""
    silent: dict[str, int] = field(default_factory=dict)
    given: list[int] = field(default_factory=list)
    got_ms: int | None = None

    @property
    def load(self) -> int:
        return sum(self.loads.values())

    def is_full(self, channel: str) -> bool:
        """Whether what he takes, at all or on this channel, is used up."""
        own, of_channel = self.capacity, self.channel_capacity.get(channel)
        return _is_used_up(own, self.load, sum(self.silent.values())) or _is_used_up(
            of_channel, self.loads.get(channel, 0), self.silent.get(channel, 0)
        )


def _is_used_up(capacity: int | None, load: int, silent: int) -> bool:
    """Silent sessions may all wake at once: with them he has at most twice his capacity."""
    return capacity is not None and (load >= capacity or load + silent >= 2 * capacity)


@dataclass(slots=True)
class Rule:
    """One rule: since which step each agent is listed, and what waits under it."""

    version: int = 0
    active: bool = False
    definition: Json = field(default_factory=dict)
    listed_since: dict[str, int] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    order: int = 0
    """Its place among the rules."""

    @property
    def method(self) -> str:
        return str(self.definition.get("method", "round_robin"))

    @property
    def rings(self) -> int:
        """How many rings of agents it asks, one after the other."""
        return 1 + len(self.definition.get("next_rings", ()))

    @property
    def fallback(self) -> tuple[str, str]:
        """What happens when nobody is there: the kind, and whose id."""
        found = self.definition.get("fallback") or {}
        return found.get("kind", "wait"), found.get("id") or ""

    @property
    def looks_back(self) -> int:
        """How many of an agent's latest new conversations it looks at."""
        looks = self.definition.get("gap_s") is not None or self.method == "least_busy"
        window = self.definition.get("window") or {}
        return max(looks, window.get("conversations", 0)) if self.active else 0

    def is_for(self, page: str) -> bool:
        """Whether it names the page or its channel."""
        pages, channels = self.definition.get("pages", ()), self.definition.get("channels", ())
        return self.active and (page in pages or page.partition(":")[0] in channels)


class DeskState:
    """The state of one desk after some steps.

    `freed` (agents who may have become eligible), `stirred` (those who may hear other offers), `relisted`
    (rules with another list or version) and `moved` (conversations that had events) are for those who watch,
    to be cleared by them.
    """

    def __init__(self) -> None:
        self.agents: dict[str, Agent] = {}
        self.departments: dict[str, list[str]] = {}
        self.admins: dict[str, list[str]] = {}
        """By page that the desk has."""
        self.rules: dict[str, Rule] = {}
        self.policy: Json = {}
        self.conversations: dict[str, Conversation] = {}
        self.at_ms = 0
        self.freed: set[str] = set()
        self.stirred: set[str] = set()
        self.relisted: set[str] = set()
        self.moved: set[str] = set()
        self.transferring: set[str] = set()
        """Conversations whose transfer waits for an answer."""
        self.offers: dict[str, set[str]] = {}
        """By the ring that is asked: the conversations that are offered to it."""
        self._waits_under: dict[str, str] = {}
        self._offered_to: dict[str, str] = {}

    def change(self, event: RosterEvent, step: int) -> None:
        """Apply a roster event."""
        self.at_ms = max(self.at_ms, event.at_ms)
        definition = {} if event.removed else event.definition
        match event.kind:
            case "agent":
                self._change_agent(event)
            case "presence":
                self.agent(event.name).presence = definition["presence"]
                self.freed.add(event.name)
                self.stirred.add(event.name)
            case "department":
                self.departments[event.name] = list(definition.get("agents", ()))
                self.stirred.update(self.agents)
                self._relist(step)
            case "page":
                self.admins[event.name] = list(definition.get("admins", ()))
                if event.removed:
                    del self.admins[event.name]
            case "policy":
                self.policy = definition
            case "rule":
                self._change_rule(event, definition, step)

    def follow(self, chain: Chain, link: Link) -> None:
        """Apply an event of a chain: how its conversation stands, who carries it, and whether it waits."""
        conversation = self.conversation(chain)
        before = conversation.carried
        conversation.follow(link)
        if before != conversation.carried:
            self._carry(before, -1, conversation.channel)
            self._carry(conversation.carried, +1, conversation.channel)
        if link.what == "assigned" and link.holder is not None:
            self._pace(link.holder, by_itself=link.method in PACED)
        self._wait(chain.conversation, conversation)
        self._offer(chain.conversation, conversation)
        (self.transferring.discard if conversation.transfer is None else self.transferring.add)(
            chain.conversation
        )
        self.moved.add(chain.conversation)

    def conversation(self, chain: Chain) -> Conversation:
        """How the chain's conversation stands."""
        return self.conversations.setdefault(chain.conversation, Conversation(chain.key))

    def agent(self, name: str | None) -> Agent:
        """The agent; one that the roster never named is not active."""
        return self.agents.setdefault(name or "", Agent())

    def listed(self, rule: str) -> dict[str, int]:
        """The agents of a rule, each with the step since when."""
        found = self.rules.get(rule)
        return {} if found is None else found.listed_since

    def members(self, name: str, ring: int) -> set[str]:
        """Who is asked by one of a rule's rings, from 0."""
        rule = self.rules.get(name)
        if rule is None or not rule.active:
            return set()
        if ring == 0:
            return set(rule.listed_since)
        teams = rule.definition.get("next_rings", ())[ring - 1 : ring]
        return {agent for team in teams for agent in self._team(team)}

    def asked(self, audience: str | None, *, before: bool = False) -> set[str]:
        """To whom `audience` offers; with `before` also those of the rings that were asked first."""
        kind, _, name = (audience or "").partition(":")
        if kind == "rule":
            rule, _, ring = name.rpartition("/")
            rings = range(int(ring) + 1) if before else (int(ring),)
            return {agent for each in rings for agent in self.members(rule, each)}
        if kind == "admins":
            return set(self.admins.get(name, ()))
        if kind == "department":
            return set(self.departments.get(name, ()))
        return self._of_page(name) if kind == "page" else set()

    def supervises(self, admin: str | None, agent: str) -> bool:
        """Whether `admin` administers every page for which `agent` works, and there is one."""
        pages = [page for page in self.admins if agent in self._of_page(page)]
        return bool(pages) and all(admin in self.admins[page] for page in pages)

    def bar(self, name: str, rule: Rule, conversation: Conversation) -> str:
        """Why the desk may not give the conversation to the agent under the rule; empty: it may."""
        agent = self.agent(name)
        if not agent.active:
            return "inactive"
        if agent.on_leave:
            return "on_leave"
        if agent.is_full(conversation.channel):
            return "at_capacity"
        if rule.definition.get("online_only") and agent.presence != "online":
            return "offline"
        return self._limit(agent, rule) or ("declined" if name in conversation.declined else "")

    def ways(self, name: str) -> Iterator[tuple[str, Rule]]:
        """The rule and, one after the other, those that are asked when nobody of the one before is there."""
        seen: set[str] = set()
        while name not in seen and name in self.rules and self.rules[name].active:
            yield name, self.rules[name]
            seen.add(name)
            kind, other = self.rules[name].fallback
            name = other if kind == "rule" else name

    def _limit(self, agent: Agent, rule: Rule) -> str:
        gap_s, window = rule.definition.get("gap_s"), rule.definition.get("window")
        if gap_s is not None and agent.given and agent.given[-1] + gap_s * 1000 > self.at_ms:
            return "gap"
        if window and len(agent.given) >= window["conversations"]:
            first = agent.given[-window["conversations"]]
            return "window" if first + window["seconds"] * 1000 > self.at_ms else ""
        return ""

    def _of_page(self, page: str) -> set[str]:
        """The agents of every rule that is for the page, all rings, and its admins."""
        rules = [(name, rule) for name, rule in self.rules.items() if rule.is_for(page)]
        listed = (self.members(name, ring) for name, rule in rules for ring in range(rule.rings))
        return set(self.admins.get(page, ())).union(*listed)

    def _change_agent(self, event: RosterEvent) -> None:
        agent, definition = self.agent(event.name), event.definition
        agent.active = not event.removed
        agent.on_leave = definition.get("on_leave", False)
        agent.capacity = definition.get("capacity")
        agent.channel_capacity = definition.get("channel_capacity", {})
        self.freed.add(event.name)
        self.stirred.add(event.name)

    def _carry(self, carried: tuple[str, bool] | None, by: int, channel: str) -> None:
        if carried is None:
            return
        name, silent = carried
        agent = self.agent(name)
        counts = agent.silent if silent else agent.loads
        counts[channel] = counts.get(channel, 0) + by
        if by < 0:
            self.freed.add(name)

    def _pace(self, name: str, *, by_itself: bool) -> None:
        """A limit looks back only on what was given since a rule of his has had one."""
        rules = (
            rule
            for rule in self.rules.values()
            if name in rule.listed_since or rule.fallback == ("agent", name)
        )
        kept = max((rule.looks_back for rule in rules), default=0)
        if kept:
            agent = self.agent(name)
            agent.got_ms = self.at_ms
            if by_itself:
                agent.given = [*agent.given, self.at_ms][-kept:]

    def _change_rule(self, event: RosterEvent, definition: Json, step: int) -> None:
        rule = self.rules.setdefault(event.name, Rule())
        rule.version, rule.active, rule.definition = event.version, not event.removed, definition
        rule.order = event.order
        self.relisted.add(event.name)
        self._relist(step)
        self.stirred.update(self.agents)
        self.freed.update(self.agents)  # whoever waits under another rule may be its own by now

    def _relist(self, step: int) -> None:
        """Every rule's list as agents and departments are now; those who stay keep their step."""
        for name, rule in self.rules.items():
            listed = {agent: rule.listed_since.get(agent, step) for agent in self._team(rule.definition)}
            if listed.keys() != rule.listed_since.keys():
                self.relisted.add(name)
            rule.listed_since = listed

    def _team(self, team: Json) -> list[str]:
        wanted = list(team.get("agents", ()))
        for department in team.get("departments", ()):
            wanted += self.departments.get(department, [])
        return wanted

    def _wait(self, name: str, conversation: Conversation) -> None:
        before = self._waits_under.pop(name, None)
        if before is not None:
            self.rules[before].waiting.discard(name)
        if conversation.standing == "queued" and conversation.rule is not None:
            self._waits_under[name] = conversation.rule
            self.rules.setdefault(conversation.rule, Rule()).waiting.add(name)

    def _offer(self, name: str, conversation: Conversation) -> None:
        before = self._offered_to.pop(name, None)
        if before is not None:
            self.offers[before].discard(name)
        audience = conversation.audience
        if audience is not None and audience.startswith("rule:"):
            self._offered_to[name] = audience
            self.offers.setdefault(audience, set()).add(name)
