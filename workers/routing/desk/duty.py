"""How busy an agent is, where he is, and what therefore bars him from new conversations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from schemas.assignments import Presence
from schemas.base import Channel
from schemas.definitions import Agent, Rule
from schemas.roster import HIMSELF
from workers.routing.desk.ring import Bar
from workers.routing.desk.roster import Entry

NO_LOADS: Mapping[Channel, int] = MappingProxyType({})
NOWHERE: Mapping[str, Presence] = MappingProxyType({})


class Duty(NamedTuple):
    """How busy an agent is."""

    load: int = 0
    """Open sessions held that are not silent."""
    bar: Bar = "inactive"
    """What bars him from every rule; single rules may bar him beside it, see `bar_in`."""
    rules: frozenset[str] = frozenset()
    """Whose rings he stands in."""
    loads: Mapping[Channel, int] = NO_LOADS
    """The same as `load` by channel, where there is any."""
    given: tuple[datetime, ...] = ()
    """When the desk gave him his latest new conversations: as many as the limits of his rules look at."""
    got_at: datetime | None = None
    """When he got the latest, however it came, as far as a rule of his looks at any."""
    silent: int = 0
    """Open sessions held that are silent."""
    silents: Mapping[Channel, int] = NO_LOADS
    """The same by channel, where there is any."""

    def bearing(self, sessions: int, channel: Channel, *, silent: bool) -> Duty:
        """The duty with `sessions` more on `channel`, all of them `silent` or none."""
        load, bar, rules, loads, given, got_at, asleep, silents = self
        if silent:
            asleep, silents = asleep + sessions, _counting(silents, channel, sessions)
        else:
            load, loads = load + sessions, _counting(loads, channel, sessions)
        return Duty(load, bar, rules, loads, given, got_at, asleep, silents)

    def barred(self, bar: Bar) -> Duty:
        """The duty when `bar` is what bars him from every rule."""
        load, _, rules, loads, given, got_at, asleep, silents = self
        return Duty(load, bar, rules, loads, given, got_at, asleep, silents)

    def is_full(self, agent: Agent) -> bool:
        """Whether what `agent` takes of all channels is used up."""
        return _is_used_up(agent.capacity, self.load, self.silent)

    def is_full_on(self, agent: Agent, channel: Channel) -> bool:
        """Whether what `agent` takes of `channel` is used up."""
        capacity = agent.channel_capacity.get(channel)
        return _is_used_up(capacity, self.loads.get(channel, 0), self.silents.get(channel, 0))


class Whereabouts(NamedTuple):
    """What an agent is at each gateway where he is connected, and that he says himself that he is away."""

    gateways: Mapping[str, Presence] = NOWHERE
    version: int = 0
    since: datetime | None = None
    """Of what he is now; none: he has never come."""

    @property
    def presence(self) -> Presence:
        """The most present of them, but no more than away if he says so."""
        if HIMSELF in self.gateways:
            return "away" if len(self.gateways) > 1 else "offline"
        return "online" if "online" in self.gateways.values() else "away" if self.gateways else "offline"


ABSENT = Duty()
"""Of an agent whom the desk does not know."""
OFFLINE = Whereabouts()
"""Of an agent who has never come."""
AWAKE_MAX = 2
"""So many times his capacity an agent has at most, when all his silent sessions wake."""


def bar_of(entry: Entry[Agent] | None, duty: Duty) -> Bar:
    """What bars an agent who is so busy from every rule."""
    if entry is None or not entry.active:
        return "inactive"
    if entry.definition.on_leave:
        return "on_leave"
    return "at_capacity" if duty.is_full(entry.definition) else None


def bar_in(rule: Rule, duty: Duty, presence: Presence, at: datetime) -> tuple[Bar, datetime | None]:
    """What bars an agent from `rule` at `at`; of the rule's own limits, with the time at which it ends."""
    if duty.bar is not None:
        return duty.bar, None
    if rule.online_only and presence != "online":
        return "offline", None
    if (until := _gap_ends(rule, duty)) is not None and until > at:
        return "gap", until
    if (until := _window_ends(rule, duty)) is not None and until > at:
        return "window", until
    return None, None


def looked_at(rule: Rule) -> int:
    """How many of an agent's latest new conversations `rule` looks at: its limits, or to tell who had none
    for the longest time."""
    looks = rule.gap_s is not None or rule.method == "least_busy"
    return max(looks, rule.window.conversations if rule.window else 0)


def exceeded(entry: Entry[Agent], duty: Duty, presence: Presence, channel: Channel) -> tuple[Any, ...]:
    """What giving him one more on `channel` goes beyond, when a person decides it: see Why.exceeds."""
    beyond: tuple[Any, ...] = ()
    if duty.is_full(entry.definition) or duty.is_full_on(entry.definition, channel):
        beyond += ("capacity",)
    if presence == "offline":
        beyond += ("offline",)
    return (*beyond, "on_leave") if entry.definition.on_leave else beyond


def _counting(counts: Mapping[Channel, int], channel: Channel, more: int) -> Mapping[Channel, int]:
    now = counts.get(channel, 0) + more
    counts = {**counts, channel: now}
    if not now:
        del counts[channel]
    return counts


def _is_used_up(capacity: int | None, load: int, silent: int) -> bool:
    """Silent sessions are free, but no more of them than `capacity`: they may all wake at once."""
    return capacity is not None and (load >= capacity or load + silent >= AWAKE_MAX * capacity)


def _gap_ends(rule: Rule, duty: Duty) -> datetime | None:
    if rule.gap_s is None or not duty.given:
        return None
    return duty.given[-1] + timedelta(seconds=rule.gap_s)


def _window_ends(rule: Rule, duty: Duty) -> datetime | None:
    if rule.window is None or len(duty.given) < rule.window.conversations:
        return None
    return duty.given[-rule.window.conversations] + timedelta(seconds=rule.window.seconds)
