"""The state of one desk: roster, rotations, loads, conversations and the waiting queue.

What an event changes is a value in a map, so that a fork is cheap and a decision can be thought through on a
fork without touching the desk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from datetime import datetime
from typing import Any

from schemas.assignments import PassedOverReason, Presence
from schemas.base import Channel
from schemas.commands import TimerName
from schemas.definitions import Agent, Rule
from schemas.ids import channel_of
from schemas.outcomes import Outcome
from workers.routing.desk import duty as duties
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.duty import ABSENT, OFFLINE, Duty, Whereabouts
from workers.routing.desk.openings import BEFORE_ALL, Openings
from workers.routing.desk.ranking import Rank, Ranking
from workers.routing.desk.ring import NOBODY, NONE_APART, Ring
from workers.routing.desk.roster import Entry, Roster
from workers.routing.desk.waiting import ForkedQueue, Lines


class Desk:
    """One desk. `decide` reads it, only `apply` changes it, through the methods below."""

    __slots__ = (
        "armed",
        "at",
        "conversations",
        "drops_after",
        "duties",
        "elsewhere",
        "full",
        "gateways",
        "id",
        "limited",
        "offers",
        "openings",
        "outcomes",
        "queue",
        "ranked",
        "rankings",
        "ranks",
        "rings",
        "roster",
        "transfers",
        "waiting",
        "whereabouts",
        "workspace",
    )

    def __init__(self, workspace: str, id_: str) -> None:
        self.workspace = workspace
        self.id = id_
        self.roster = Roster()
        self.rings: MutableMapping[str, Ring] = {}
        """The rotation of each rule."""
        self.ranked: frozenset[str] = frozenset()
        """The rules that ask the least busy."""
        self.rankings: MutableMapping[str, Ranking] = {}
        """Of each of these: its agents who can be chosen."""
        self.ranks: MutableMapping[tuple[str, str], Rank | None] = {}
        """Of each of their agents, by rule and agent; none: he cannot be chosen."""
        self.duties: MutableMapping[str, Duty] = {}
        self.whereabouts: MutableMapping[str, Whereabouts] = {}
        """Of each agent who has ever come."""
        self.gateways: MutableMapping[str, datetime | None] = {}
        """When each was last heard of; none: it is lost."""
        self.full: MutableMapping[Channel, frozenset[str]] = {}
        """The agents whose own capacity on a channel is used up."""
        self.limited: frozenset[str] = frozenset()
        """The rules that limit how soon or how often an agent gets a new conversation."""
        self.at = BEFORE_ALL
        """The log's time: limits that have ended by then bar nobody."""
        self.transfers: MutableMapping[str, frozenset[str]] = {}
        """Keys of the conversations that are being transferred to each agent and `department:<id>`."""
        self.offers: MutableMapping[str, str | None] = {}
        """Keys of the conversations that are offered to rings, each with the rule that does so."""
        self.waiting = 0
        """How many are queued or offered."""
        self.openings = Openings()
        self.conversations: MutableMapping[str, Conversation] = {}
        """By key: all that wait, and of the others those that the commands at hand name."""
        self.queue: Lines | ForkedQueue = Lines()
        self.outcomes: MutableMapping[tuple[str, str], Outcome] = {}
        """By actor and idempotency key: those that the commands at hand name."""
        self.drops_after = 0
        """How many more outcomes the table is given until old ones are dropped from it."""
        self.elsewhere: dict[str, str] = {}
        """Pages and agents that the commands at hand name and that the registry gives to another desk."""
        self.armed: dict[tuple[TimerName, str], datetime] = {}
        """When those timers are due that no conversation has, as the table says: by name and subject."""

    def advance(self, at: datetime) -> bool:
        """Let it be `at`; whether somebody can be chosen again who was barred by a limit until then."""
        if at <= self.at:
            return False
        before, self.at = self.at, at
        if at >= self.openings.first_at:
            self._await_openings(self.openings.over(at))
        if not self.limited:
            return False
        is_over = any(until <= at for rule in self.limited for until in self.lifts_of(rule, before))
        lifted = {agent for rule in self.limited for until, agent in self.rings[rule].lifts if until <= at}
        for agent in lifted:
            self._seat(agent, self.duties[agent])
        return is_over

    def lifts_of(self, rule: str, at: datetime) -> Iterator[datetime]:
        """When the limits of `rule` that hold at `at` end: for agents of its ring, the soonest first, and for
        the one whom it falls back on."""
        yield from (until for until, _ in self.rings[rule].lifts)
        definition = self.roster.rules[rule].definition
        agent = definition.fallback.agent
        if agent is not None:
            duty, presence = self.duties.get(agent, ABSENT), self.presence_of(agent)
            _, until = duties.bar_in(definition, duty, presence, at)
            if until is not None:
                yield until

    def bear(self, agent: str, sessions: int, channel: Channel, *, silent: bool) -> None:
        """Add `sessions` on `channel` to the load of `agent`, or to what he has that is `silent`."""
        duty = self.duties.get(agent, ABSENT).bearing(sessions, channel, silent=silent)
        self._set_duty(agent, duty, (channel,))

    def give(self, agent: str, *, by_itself: bool) -> None:
        """Note that `agent` has got a new conversation, if a rule of his asks for that; limits look at those
        alone that the desk has given `by_itself`."""
        if not self.limited:
            return
        duty = self.duties.get(agent, ABSENT)
        limiting = [self.roster.rules[rule].definition for rule in self.limited]
        binding = (rule for rule in limiting if rule.id in duty.rules or rule.fallback.agent == agent)
        if kept := max(map(duties.looked_at, binding), default=0):
            given = (*duty.given, self.at)[-kept:] if by_itself else duty.given
            self._set_duty(agent, duty._replace(given=given, got_at=self.at), ())

    def place(self, agent: str, whereabouts: Whereabouts) -> None:
        """Let `agent` be connected as `whereabouts` says."""
        self.whereabouts[agent] = whereabouts
        self._seat(agent, self.duties.get(agent, ABSENT))

    def hear(self, gateway: str, at: datetime | None) -> None:
        """Note that `gateway` was heard of at `at`; none: it is lost."""
        self.gateways[gateway] = at
        if at is None:
            del self.gateways[gateway]

    def presence_of(self, agent: str) -> Presence:
        """Whether `agent` is there."""
        return self.whereabouts.get(agent, OFFLINE).presence

    def barred_from(self, conversation: Conversation) -> Mapping[str, PassedOverReason]:
        """Who is not asked for this conversation, whatever its rule says of him, and why."""
        full = self.full.get(channel_of(conversation.page), ())
        if not full and not conversation.declined:
            return NONE_APART
        return {
            **dict.fromkeys(full, "at_capacity"),
            **dict.fromkeys(conversation.declined, "declined"),
        }

    def exceeded(self, agent: str, conversation: Conversation) -> tuple[Any, ...]:
        """What giving `agent` this conversation goes beyond when a person decides it: see Why.exceeds."""
        duty = self.duties.get(agent, ABSENT)
        channel = channel_of(conversation.page)
        return duties.exceeded(self.roster.agents[agent], duty, self.presence_of(agent), channel)

    def set_agent(self, entry: Entry[Agent]) -> None:
        """Let `entry` be what is known of an agent."""
        id_ = entry.definition.id
        self.edit_roster().agents[id_] = entry
        channels = {*self.full, *entry.definition.channel_capacity}
        self._set_duty(id_, self.duties.get(id_, ABSENT), channels)

    def set_rule(self, entry: Entry[Rule], ring: Iterable[str], cursor: str | None = None) -> None:
        """Let `entry` be the rule's text from here on, and `ring` its rotation."""
        id_ = entry.definition.id
        self.edit_roster().set_rule(entry)
        agents = tuple(ring)
        before = self.rings.get(id_, NOBODY).seats.keys()
        for agent in before - set(agents):
            duty = self.duties[agent]
            self.duties[agent] = duty._replace(rules=duty.rules - {id_})
        for agent in agents:
            duty = self.duties.get(agent, ABSENT)
            self.duties[agent] = duty._replace(rules=duty.rules | {id_})
        is_limited = entry.active and duties.looked_at(entry.definition) > 0
        self.limited = self.limited | {id_} if is_limited else self.limited - {id_}
        self.rings[id_] = Ring.of([(agent, self.duties[agent].bar) for agent in agents], cursor)
        if id_ in self.openings.of_rules or entry.definition.conditions.hours is not None:
            self._await_openings((id_,))
        self.ranked = self.ranked - {id_}  # until its new ring is seated: its ranks are of the former one
        if is_limited or entry.definition.online_only:
            for agent in agents:
                self._seat_in(id_, agent, self.duties[agent])
        self._rank_anew(entry, agents)

    def keep(self, conversation: Conversation) -> None:
        """Let `conversation`, which counts in the loads already, be known; if it waits, in the queue too."""
        self.conversations[conversation.key] = conversation
        self.note(None, conversation)
        if conversation.rule and (waiting := conversation.waiting):
            self.edit_queue().add(conversation.rule, waiting)

    def leave(self, key: str) -> None:
        """Let the conversation `key` be loaded again when it is named, unless it waits for something."""
        one = self.conversations.get(key)
        if one is not None and one.standing not in ("queued", "offered") and one.transfer is None:
            del self.conversations[key]

    def note(self, before: Conversation | None, now: Conversation) -> None:
        """Keep what the desk must find without looking through all, when a conversation changes."""
        if before is None or before.standing != now.standing:
            self.waiting += now.is_waiting - (before is not None and before.is_waiting)
        if (before.offers if before else None) != now.offers:
            self.offer(now.key, now.offers)
        was, is_ = before.transfer if before else None, now.transfer
        if was is is_:
            return
        if was is not None:
            self.transfers[was.target] = self.transfers[was.target] - {now.key}
        if is_ is not None:
            self.transfers[is_.target] = self.transfers.get(is_.target, frozenset()) | {now.key}

    def offer(self, key: str, rule: str | None) -> None:
        """Note which rule offers a conversation to one of its rings; none: none any more."""
        self.offers[key] = rule
        if rule is None:
            del self.offers[key]

    def edit_roster(self) -> Roster:
        """The roster, to be changed."""
        return self.roster

    def edit_queue(self) -> Lines | ForkedQueue:
        """The waiting queue, to be changed."""
        return self.queue

    def _await_openings(self, rules: Iterable[str]) -> None:
        self.openings = self.openings.awaited((self.roster.rules[rule] for rule in rules), self.at)

    def _set_duty(self, agent: str, duty: Duty, channels: Iterable[Channel]) -> None:
        """Let `duty` be how busy `agent` is; on `channels` his sessions or his capacity may have changed."""
        entry = self.roster.agents.get(agent)
        before = self.duties.get(agent, ABSENT)
        bar = duties.bar_of(entry, duty)
        if bar != duty.bar:
            duty = duty.barred(bar)
        self.duties[agent] = duty
        for channel in channels:
            self._fill(agent, channel, entry, duty)
        if duty.bar != before.bar or duty.given != before.given:
            self._seat(agent, duty)
        elif duty.load != before.load or duty.got_at != before.got_at:
            for rule in duty.rules & self.ranked:
                self._rank_in(rule, agent, duty)

    def _fill(self, agent: str, channel: Channel, entry: Entry[Agent] | None, duty: Duty) -> None:
        full = self.full.get(channel, frozenset())
        is_full = entry is not None and duty.is_full_on(entry.definition, channel)
        if is_full != (agent in full):
            self.full[channel] = full | {agent} if is_full else full - {agent}

    def _seat(self, agent: str, duty: Duty) -> None:
        for rule in duty.rules:
            self._seat_in(rule, agent, duty)

    def _seat_in(self, rule: str, agent: str, duty: Duty) -> None:
        definition = self.roster.rules[rule].definition
        presence = self.presence_of(agent) if definition.online_only else "online"
        bar, until = duties.bar_in(definition, duty, presence, self.at)
        self.rings[rule] = self.rings[rule].with_bar(agent, bar, until)
        if rule in self.ranked:
            self._rank_in(rule, agent, duty)

    def _rank_in(self, rule: str, agent: str, duty: Duty) -> None:
        before, now = self.ranks.get((rule, agent)), self._rank(rule, agent, duty)
        self.rankings[rule] = self.rankings[rule].moved(before, now)
        self.ranks[rule, agent] = now

    def _rank_anew(self, entry: Entry[Rule], agents: Iterable[str]) -> None:
        """Rank the agents of a rule from the beginning, if it asks the least busy."""
        rule = entry.definition.id
        is_ranked = entry.active and entry.definition.method == "least_busy"
        self.ranked = self.ranked | {rule} if is_ranked else self.ranked - {rule}
        if is_ranked:
            ranks = {agent: self._rank(rule, agent, self.duties[agent]) for agent in agents}
            self.rankings[rule] = Ranking.of(rank for rank in ranks.values() if rank is not None)
            for agent, rank in ranks.items():
                self.ranks[rule, agent] = rank

    def _rank(self, rule: str, agent: str, duty: Duty) -> Rank | None:
        ring = self.rings[rule]
        if not ring.is_open(agent):
            return None
        return Rank(duty.load, duty.got_at or BEFORE_ALL, ring.seats[agent], agent)
