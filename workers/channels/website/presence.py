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
    """Tabs of visitors who have ever written, by their conversations.

    Args:
        say: tells the gateways.
    """

    def __init__(self, say: Callable[[Sighting], None]) -> None:
        self._say = say
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
                self._say(Sighting(place, left.tab.guest.page, online=False))
        for place, tabs in self._tabs.items():
            if place[1].int % REPEAT_TICKS == number % REPEAT_TICKS:
                self._say(_sighting(place, next(reversed(tabs))))

    def here(self, tab: Tab) -> None:
        """He is there, or has moved to another page of the site; who has never written is not told of."""
        if tab.is_known:
            place = tab.workspace, tab.conversation
            tabs = self._tabs.setdefault(place, {})
            tabs.pop(tab, None)
            tabs[tab] = None
            self._left.pop(place, None)
            self._say(_sighting(place, tab))

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
        self._left[place] = Left(tab, now_s + GRACE_S)

    def types(self, tab: Tab, now_s: float) -> None:
        """He types."""
        if tab.is_known and now_s - self._typed_s.get(tab, -TYPING_EVERY_S) >= TYPING_EVERY_S:
            self._typed_s[tab] = now_s
            place = tab.workspace, tab.conversation
            self._say(Sighting(place, tab.guest.page, online=True, types=True))


def _sighting(place: Place, tab: Tab) -> Sighting:
    where = tab.where
    if where is None:
        return Sighting(place, tab.guest.page, online=True)
    return Sighting(place, tab.guest.page, online=True, url=where.url, title=where.title)
