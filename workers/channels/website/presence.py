"""Which visitors are on a website at this ingress, and where: told to the gateways, never stored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import count
from typing import NamedTuple

from workers.channels.glance import Place
from workers.channels.sighting import Sighting
from workers.channels.website.connection import Tab
from workers.channels.website.visits import Visits

GRACE_S = 5.0
"""So long a visitor whose last tab went is still there: a reload is no coming and going."""
TYPING_EVERY_S = 2.0
"""Who types on is told again no sooner."""
REPEAT_TICKS = 20
"""Each visitor is told again once in so many ticks: gateways forget him after three times as long."""
TICK_S = 1.0


class Left(NamedTuple):
    """A visitor whose last tab went."""

    tab: Tab
    until_s: float


class Presence:
    """Tabs of visitors, by their conversations; those of others than have ever written may never begin.

    Of who is kept out only the visits learn: to agents he is not there.

    Args:
        say: tells the gateways.
        visits: learn where those are who have ever written.
    """

    def __init__(self, say: Callable[[Sighting], None], visits: Visits) -> None:
        self._say = say
        self._visits = visits
        self._tabs: dict[Place, dict[Tab, None]] = {}
        self._left: dict[Place, Left] = {}
        self._typed_s: dict[Tab, float] = {}

    async def run(self) -> None:
        """Repeat what holds, and tell who is gone, until cancelled."""
        for number in count():
            self.tick(number, time.monotonic())
            await asyncio.sleep(TICK_S)

    def tick(self, number: int, now_s: float) -> None:
        """The same, once."""
        for place, left in list(self._left.items()):
            if left.until_s <= now_s:
                del self._left[place]
                self._say(_sighting(place, left.tab)._replace(online=False, url="", title=""))
        for place, tabs in self._tabs.items():
            if place[1].int % REPEAT_TICKS == number % REPEAT_TICKS:
                self._say(_sighting(place, next(reversed(tabs))))

    def here(self, tab: Tab) -> None:
        """He is there, has moved to another page of the site, or has written for the first time."""
        place = tab.workspace, tab.conversation
        tabs = self._tabs.setdefault(place, {})
        tabs.pop(tab, None)
        tabs[tab] = None
        self._left.pop(place, None)
        self._say(_sighting(place, tab))
        if tab.is_known:
            self._visits.came(place, tab.guest.key)

    def gone(self, tab: Tab, now_s: float) -> None:
        """The tab is closed."""
        self._typed_s.pop(tab, None)
        place = tab.workspace, tab.conversation
        tabs = self._tabs.get(place, {})
        if tab not in tabs:
            return
        del tabs[tab]
        if tabs:
            self._say(_sighting(place, next(reversed(tabs))))
            return
        del self._tabs[place]
        self._visits.went(place, now_s)
        self._left[place] = Left(tab, now_s + GRACE_S)

    def types(self, tab: Tab, now_s: float) -> None:
        """He types."""
        if tab.is_blocked:
            return
        if now_s - self._typed_s.get(tab, -TYPING_EVERY_S) >= TYPING_EVERY_S:
            self._typed_s[tab] = now_s
            place = tab.workspace, tab.conversation
            self._say(_sighting(place, tab)._replace(types=True))


def _sighting(place: Place, tab: Tab) -> Sighting:
    seen = Sighting(place, tab.guest.key, online=True, known=tab.is_known, name=tab.guest.visitor.name or "")
    if tab.is_blocked:
        return seen._replace(online=False, name="")
    return seen if tab.where is None else seen._replace(url=tab.where.url, title=tab.where.title)
