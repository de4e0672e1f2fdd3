"""A desk over another one: a decision is thought through on it, and nothing has changed."""

from __future__ import annotations

from datetime import datetime

from workers.routing.desk.desk import Desk
from workers.routing.desk.layer import Layer
from workers.routing.desk.roster import Roster
from workers.routing.desk.waiting import ForkedQueue, Lines


class Fork(Desk):
    """A desk over another one, which is not touched. What changes seldom is layered when it does."""

    __slots__ = ("_lines", "_shared_roster")

    def __init__(self, base: Desk) -> None:  # every map is its own layer: nothing of Desk's to be made first
        if not isinstance(base.queue, Lines):
            raise TypeError("a fork is not forked")
        self._lines = base.queue
        self._shared_roster = base.roster
        self.workspace = base.workspace
        self.id = base.id
        self.roster = base.roster
        self.rings = Layer(base.rings)
        self.ranked = base.ranked
        self.rankings = Layer(base.rankings)
        self.ranks = Layer(base.ranks)
        self.duties = Layer(base.duties)
        self.whereabouts = Layer(base.whereabouts)
        self.gateways = Layer(base.gateways)
        self.full = Layer(base.full)
        self.limited = base.limited
        self.at = base.at
        self.transfers = Layer(base.transfers)
        self.offers = Layer(base.offers)
        self.waiting = base.waiting
        self.openings = base.openings
        self.conversations = Layer(base.conversations)
        self.queue = base.queue
        self.outcomes = Layer(base.outcomes)
        self.drops_after = base.drops_after
        self.elsewhere = base.elsewhere
        self.armed = base.armed

    def hear(self, gateway: str, at: datetime | None) -> None:
        """See Desk.hear."""
        self.gateways[gateway] = at

    def offer(self, key: str, rule: str | None) -> None:
        """See Desk.offer."""
        self.offers[key] = rule

    def edit_roster(self) -> Roster:
        """See Desk.edit_roster."""
        if self.roster is self._shared_roster:
            self.roster = self.roster.fork()
        return self.roster

    def edit_queue(self) -> Lines | ForkedQueue:
        """See Desk.edit_queue."""
        if self.queue is self._lines:
            self.queue = ForkedQueue(self._lines)
        return self.queue
