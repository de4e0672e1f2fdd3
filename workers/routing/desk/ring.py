"""The rotation of one rule: its agents in a ring, and an index of those who can be chosen.

Exact: a turn goes to the first eligible agent behind the cursor, so between two turns of one agent everybody
who stays eligible has exactly one. Lookups take O(log n); what changes the index copies a few short lists.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from itertools import chain, islice
from types import MappingProxyType
from typing import NamedTuple

from schemas.assignments import CANDIDATES_MAX, Candidate, PassedOverReason

Bar = PassedOverReason | None
"""Why an agent cannot be chosen; none: he can."""


NONE_APART: Mapping[str, PassedOverReason] = MappingProxyType({})


class Turn(NamedTuple):
    """Whose turn it is, and how many were passed over on the way to him."""

    agent: str
    eligible: int
    passed_over: dict[PassedOverReason, int]


class Ring(NamedTuple):
    """A value: each change gives another ring. `cursor` had the last turn; none: the first agent is next."""

    agents: tuple[str, ...]
    candidates: list[Candidate]
    """What to say of each agent, in the same order."""
    seats: Mapping[str, int]
    """The place of each agent."""
    places: Mapping[Bar, list[int]]
    """Sorted places of the agents by what bars them."""
    cursor: str | None
    lifts: tuple[tuple[datetime, str], ...] = ()
    """Whom the rule's own limits bar, each with the time at which that ends: the soonest first."""

    @classmethod
    def of(cls, seated: Iterable[tuple[str, Bar]], cursor: str | None = None) -> Ring:
        """The ring of agents in this order, each with what bars him."""
        candidates = [_candidate(agent, bar) for agent, bar in seated]
        agents = tuple(candidate.agent for candidate in candidates)
        places: dict[Bar, list[int]] = {}
        for place, candidate in enumerate(candidates):
            places.setdefault(candidate.passed_over, []).append(place)
        return cls(agents, candidates, {agent: place for place, agent in enumerate(agents)}, places, cursor)

    @property
    def eligible(self) -> int:
        """How many can be chosen."""
        return len(self.places.get(None, ()))

    def next(self, apart: Mapping[str, PassedOverReason] = NONE_APART) -> Turn | None:
        """Whose turn it is, those `apart` (each with the reason) left out; none when nobody can be chosen."""
        open_ = self.places.get(None)
        if not open_:
            return None
        after = self._cursor_place()
        first = bisect_right(open_, after)
        if not apart:
            place = open_[first if first < len(open_) else 0]
            return Turn(self.agents[place], len(open_), self._passed_over(after, place))
        skipped: dict[PassedOverReason, int] = {}
        for place in chain(islice(open_, first, None), islice(open_, first)):
            reason = apart.get(self.agents[place])
            if reason is None:
                passed_over = _sum(self._passed_over(after, place), skipped)
                return Turn(self.agents[place], self.eligible_but(apart), passed_over)
            skipped[reason] = skipped.get(reason, 0) + 1
        return None

    def eligible_but(self, apart: Mapping[str, PassedOverReason]) -> int:
        """How many can be chosen who are not `apart`."""
        return self.eligible - sum(map(self.is_open, apart)) if apart else self.eligible

    def barred(self, apart: Mapping[str, PassedOverReason] = NONE_APART) -> dict[PassedOverReason, int]:
        """How many cannot be chosen, by reason."""
        counts = {bar: len(places) for bar, places in self.places.items() if bar is not None and places}
        return _sum(counts, Counter(reason for agent, reason in apart.items() if self.is_open(agent)))

    def is_barred_by(self, bar: PassedOverReason, apart: Container[str] = ()) -> bool:
        """Whether `bar` keeps out somebody who is not `apart`."""
        return any(self.agents[place] not in apart for place in self.places.get(bar, ()))

    def is_open(self, agent: str) -> bool:
        """Whether `agent` stands in the ring, and can be chosen."""
        place = self.seats.get(agent)
        return place is not None and self.candidates[place].passed_over is None

    def turned_to(self, agent: str) -> Ring:
        """The ring after `agent` has had his turn."""
        return Ring(self.agents, self.candidates, self.seats, self.places, agent, self.lifts)

    def with_bar(self, agent: str, now: Bar, until: datetime | None = None) -> Ring:
        """The ring when `now` is what bars `agent`, if it is one of the rule's own limits until then."""
        place = self.seats[agent]
        before = self.candidates[place].passed_over
        ring = self._lifting(agent, until)
        if now == before:
            return ring
        left = self.places[before].copy()
        del left[bisect_left(left, place)]
        joined = self.places.get(now, []).copy()
        insort(joined, place)
        candidates = self.candidates.copy()
        candidates[place] = _candidate(agent, now)
        places = {**self.places, before: left, now: joined}
        return Ring(self.agents, candidates, self.seats, places, self.cursor, ring.lifts)

    def near(self, chosen: str, apart: Mapping[str, PassedOverReason] = NONE_APART) -> tuple[Candidate, ...]:
        """Whose turns come next; the chosen one is the last of them when he is further away."""
        first = self._cursor_place() + 1
        near = self.candidates[first : first + CANDIDATES_MAX]
        near += self.candidates[: min(first, CANDIDATES_MAX - len(near))]
        place = self.seats[chosen]
        if (place - first) % len(self.agents) >= CANDIDATES_MAX:
            near[-1] = self.candidates[place]
        if not apart:
            return tuple(near)
        return tuple(_candidate(one.agent, one.passed_over or apart.get(one.agent)) for one in near)

    def relisted(self, listed: Iterable[str]) -> tuple[str, ...]:
        """The order of turns when the rule lists other agents.

        Those who stay keep their order, newcomers come at the end of the turn: nobody is skipped or doubled.
        """
        listed = tuple(dict.fromkeys(listed))
        wanted = frozenset(listed)
        first = self._cursor_place() + 1
        coming = (*self.agents[first:], *self.agents[:first])
        stay = (agent for agent in coming if agent in wanted)
        return (*stay, *(agent for agent in listed if agent not in self.seats))

    def _lifting(self, agent: str, until: datetime | None) -> Ring:
        if until is None and not self.lifts:
            return self
        lifts = [lift for lift in self.lifts if lift[1] != agent]
        if until is not None:
            insort(lifts, (until, agent))
        return self._replace(lifts=tuple(lifts))

    def _cursor_place(self) -> int:
        return -1 if self.cursor is None else self.seats[self.cursor]

    def _passed_over(self, after: int, chosen: int) -> dict[PassedOverReason, int]:
        counts: dict[PassedOverReason, int] = {}
        for bar, places in self.places.items():
            if bar is None:
                continue
            count = bisect_left(places, chosen) - bisect_right(places, after)
            if chosen <= after:
                count += len(places)
            if count:
                counts[bar] = count
        return counts


def _sum(
    counts: dict[PassedOverReason, int], more: Mapping[PassedOverReason, int]
) -> dict[PassedOverReason, int]:
    return (
        {reason: counts.get(reason, 0) + more.get(reason, 0) for reason in (*counts, *more)}
        if more
        else counts
    )


@lru_cache(maxsize=20_000)
def _candidate(agent: str, bar: Bar) -> Candidate:
    """Values are shared: making them anew for each ring would take most of its time."""
    return Candidate(agent=agent, passed_over=bar)


NOBODY = Ring.of(())
"""The ring of a rule without agents."""
