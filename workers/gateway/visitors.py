"""Which visitors are on a website now, and on which page of it, as the ingresses tell; never stored.

What an ingress says holds for a while, and it says it again in time as long as it is so.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel

from workers.channels.glance import Place
from workers.channels.sighting import Sighting
from workers.gateway.connection import Connection, transient
from workers.gateway.looking import Looking
from workers.gateway.queries.rows import Row
from workers.gateway.watching import PagePlace, Watching

LASTS_S = 60.0
"""What an ingress said, unless it says it again."""
VISITORS_MAX = 50_000
LISTED_MAX = 500
"""Told at once to somebody who begins to watch a page: those who came last."""
TICK_S = 1.0


class Seen(NamedTuple):
    """A visitor at one ingress, and until when that holds, in seconds."""

    sighting: Sighting
    until_s: float


class VisitorSeen(BaseModel):
    """Somebody who is on a website and has never written."""

    conversation: UUID
    """That a chat with him will be in."""
    page: str
    name: str
    """As the website's own server has signed it; empty for who is not signed in."""
    url: str
    title: str

    @classmethod
    def of(cls, sighting: Sighting) -> VisitorSeen:
        """As he was last seen."""
        said = sighting._asdict()
        shown = {name: said[name] for name in ("name", "url", "title")}
        return cls(conversation=sighting.place[1], page=sighting.page, **shown)


class Visitors:
    """Tells who looks at a visitor's conversation, or watches its page, that he is there, and where."""

    def __init__(self, looking: Looking, watching: Watching) -> None:
        self._looking = looking
        self._watching = watching
        self._seen: OrderedDict[Place, dict[str, Seen]] = OrderedDict()
        """By ingress; who was heard of last comes last."""
        self._on_page: defaultdict[PagePlace, dict[Place, None]] = defaultdict(dict)
        """The same by page; who came last comes last."""

    async def run(self) -> None:
        """Forget what does not hold any more, until cancelled."""
        while True:
            self.tick(time.monotonic())
            await asyncio.sleep(TICK_S)

    def tick(self, now_s: float) -> None:
        """The same, once."""
        for place, seen in list(self._seen.items()):
            for ingress in [ingress for ingress, one in seen.items() if one.until_s <= now_s]:
                self._forget(place, ingress)

    def hear(self, ingress: str, sighting: Sighting, now_s: float) -> None:
        """An ingress has told this."""
        place = sighting.place
        if sighting.types:
            self._tell_all(sighting, transient("visitor_typing", {"conversation": str(place[1])}))
            return
        if not sighting.online:
            self._forget(place, ingress)
            return
        before = self.now(place)
        self._seen.setdefault(place, {})[ingress] = Seen(sighting, now_s + LASTS_S)
        self._seen.move_to_end(place)
        self._on_page[place[0], sighting.page][place] = None
        if len(self._seen) > VISITORS_MAX:
            _, dropped = self._seen.popitem(last=False)
            self._leave_page(next(iter(dropped.values())).sighting)
        if before != sighting:
            self._tell_all(sighting, _told(sighting))

    def tell(self, connection: Connection, conversation: UUID) -> None:
        """Tell somebody who begins to look at a conversation where its visitor is, if he is there."""
        sighting = self.now((connection.identity.workspace, conversation))
        if sighting is not None:
            connection.send(_told(sighting))

    def tell_page(self, connection: Connection, page: str) -> None:
        """Tell somebody who begins to watch a page who is there."""
        there = islice(self._on((connection.identity.workspace, page)), LISTED_MAX)
        listed = [_shown(one) for one in there]
        if listed:
            connection.send(transient("visitors", {"page": page, "online": listed}))

    def mark(self, workspace: str, rows: Iterable[Row]) -> None:
        """Say of conversations in a list whether their visitors are there."""
        for row in rows:
            row.online = self.now((workspace, row.conversation)) is not None

    def known(self, workspace: str, pages: Iterable[str]) -> frozenset[UUID]:
        """The conversations of those pages whose visitors are there."""
        return frozenset(one.place[1] for page in pages for one in self._on((workspace, page)) if one.known)

    def strangers(self, workspace: str, pages: Iterable[str], limit: int) -> list[Sighting]:
        """Who is on those pages and has never written: at most `limit`, those who came last."""
        found = (one for page in pages for one in self._on((workspace, page)) if not one.known)
        return list(islice(found, limit))

    def now(self, place: Place) -> Sighting | None:
        """Where he is, by whoever says so for the longest time; none: he is not there."""
        seen = self._seen.get(place)
        return max(seen.values(), key=lambda one: one.until_s).sighting if seen else None

    def _on(self, page: PagePlace) -> Iterator[Sighting]:
        for place in reversed(self._on_page.get(page, {})):
            if (sighting := self.now(place)) is not None:
                yield sighting

    def _forget(self, place: Place, ingress: str) -> None:
        seen = self._seen.get(place, {})
        gone = seen.pop(ingress, None)
        if gone is None:
            return
        now = self.now(place)
        if now is None:
            del self._seen[place]
            self._leave_page(gone.sighting)
        if now != gone.sighting:
            self._tell_all(
                gone.sighting, _told(now or gone.sighting._replace(online=False, url="", title=""))
            )

    def _leave_page(self, sighting: Sighting) -> None:
        place = sighting.place
        there = self._on_page[place[0], sighting.page]
        there.pop(place, None)
        if not there:
            del self._on_page[place[0], sighting.page]

    def _tell_all(self, sighting: Sighting, text: str) -> None:
        watchers = self._watching.at((sighting.place[0], sighting.page))
        for one in {*self._looking.at(sighting.place), *watchers}:
            one.send(text)


def _told(sighting: Sighting) -> str:
    return transient("visitor", _shown(sighting))


def _shown(sighting: Sighting) -> dict[str, object]:
    return {
        "conversation": str(sighting.place[1]),
        "online": sighting.online,
        "known": sighting.known,
        "name": sighting.name,
        "url": sighting.url,
        "title": sighting.title,
    }
