"""What became of conversations and agents over a stretch of a desk's life."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import pstdev
from typing import NamedTuple

from pydantic import BaseModel

from schemas.assignments import Assigned, SessionClosed
from workers.routing.desk.apply import GIVEN
from workers.routing.desk.desk import Desk

First = dict[tuple[str, int], str]
"""Who had each session first, by conversation and session."""


class Figures(NamedTuple):
    """What is reported. Waits in seconds."""

    assigned: int
    by_method: dict[str, int]
    waited: int
    """How many had to wait."""
    wait_p50_s: float
    wait_p95_s: float
    wait_max_s: float
    unserved: int
    """Sessions that ended with nobody."""
    waiting: int
    """At the end."""
    given: dict[str, int]
    """By agent: how many came to him, by rules or persons."""
    peak: dict[str, int]
    """By agent: the most open sessions at once."""
    spread: float
    """The standard deviation of what the desk itself gave to the agents: 0 is even."""


class Tally:
    """Counts what happens at `since` and later; none: all."""

    def __init__(self, since: datetime | None) -> None:
        self._since = since
        self._methods: Counter[str] = Counter()
        self._waits_s = array("d")
        self._unserved = 0
        self._given: Counter[str] = Counter()
        self._dealt: Counter[str] = Counter()
        self._peak: dict[str, int] = {}
        self.first: First = {}

    def note(self, desk: Desk, events: Iterable[BaseModel]) -> None:
        """Count what `events`, which have been applied to `desk`, tell."""
        for event in events:
            match event:
                case Assigned() if self._counts(event.at):
                    self._assigned(desk, event)
                case SessionClosed() if self._counts(event.at):
                    self._unserved += event.holder is None and (event.key, event.session) not in self.first

    def figures(self, desk: Desk) -> Figures:
        """All of it, as the desk stands now."""
        waits_s = sorted(self._waits_s)
        agents = [id_ for id_, entry in desk.roster.agents.items() if entry.active]
        dealt = [self._dealt[agent] for agent in agents]
        return Figures(
            assigned=self._methods.total(),
            by_method=dict(sorted(self._methods.items())),
            waited=sum(wait_s > 0 for wait_s in waits_s),
            wait_p50_s=percentile(waits_s, 50),
            wait_p95_s=percentile(waits_s, 95),
            wait_max_s=waits_s[-1] if waits_s else 0.0,
            unserved=self._unserved,
            waiting=sum(one.waited_since is not None for one in desk.conversations.values()),
            given=dict(sorted(self._given.items())),
            peak=dict(sorted(self._peak.items())),
            spread=pstdev(dealt) if dealt else 0.0,
        )

    def _counts(self, at: datetime) -> bool:
        return self._since is None or at >= self._since

    def _assigned(self, desk: Desk, event: Assigned) -> None:
        if event.holder is None or event.holder == event.former_holder:
            return
        self._methods[event.why.method] += 1
        self._given[event.holder] += 1
        self._dealt[event.holder] += event.why.method in GIVEN
        self.first.setdefault((event.key, event.session), event.holder)
        if event.former_holder is None:
            self._waits_s.append(_waited(desk, event).total_seconds())
        load = desk.duties[event.holder].load
        self._peak[event.holder] = max(load, self._peak.get(event.holder, 0))


def _waited(desk: Desk, event: Assigned) -> timedelta:
    """For how long nobody had it: its age counts the time, too, in which somebody had it before."""
    if event.why.queued_at is None:
        return timedelta()
    lost_at = desk.conversations[event.key].last_held_at
    return event.at - max(event.why.queued_at, lost_at or event.why.queued_at)


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest of sorted values below which `percent` of them lie; 0 of none."""
    return values[min(len(values) - 1, len(values) * percent // 100)] if values else 0.0


def moved(before: First, after: First) -> int:
    """How many sessions went to somebody else first, of those that somebody had both times."""
    return sum(before[session] != agent for session, agent in after.items() if session in before)
