"""Who of a rule is the least busy: an index of its agents who can be chosen, by load and by idleness."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Container, Iterable
from datetime import datetime
from typing import NamedTuple


class Rank(NamedTuple):
    """The smaller is chosen first."""

    load: int
    got_at: datetime
    """When he last got a new conversation."""
    seat: int
    """His place in the rule."""
    agent: str


class Ranking(NamedTuple):
    """A value: each change gives another one, and copies one short list."""

    ranks: list[Rank]
    """Sorted."""

    @classmethod
    def of(cls, ranks: Iterable[Rank]) -> Ranking:
        """The ranking of these."""
        return cls(sorted(ranks))

    def least(self, apart: Container[str]) -> str | None:
        """The least busy who is not `apart`; none when there is nobody."""
        return next((rank.agent for rank in self.ranks if rank.agent not in apart), None)

    def moved(self, before: Rank | None, now: Rank | None) -> Ranking:
        """The ranking when somebody has the rank `now`, who had `before`; none: he cannot be chosen."""
        if before == now:
            return self
        ranks = self.ranks.copy()
        if before is not None:
            del ranks[bisect_left(ranks, before)]
        if now is not None:
            insort(ranks, now)
        return Ranking(ranks)
