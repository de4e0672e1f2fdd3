"""Who looks at a conversation, and who types in it: at this gateway and, a moment later, at the others.

Never stored. What another gateway says holds for a while, and it says it again in time as long as it is so.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from itertools import count
from typing import NamedTuple
from uuid import UUID

from workers.channels.glance import Glance, Place
from workers.gateway.connection import Connection, transient

LOOKED_AT_MAX = 20
"""By one connection."""
TYPING_EVERY_S = 2.0
"""Who types on is told again no sooner."""
REPEAT_TICKS = 20
"""Each conversation that is looked at is told to the others once in so many ticks."""
LASTS_S = 60.0
"""What another gateway said, unless it says it again."""
ELSEWHERE_MAX = 20_000
TICK_S = 1.0


class Seen(NamedTuple):
    """Who looks at another gateway, and until when that holds, in seconds."""

    agents: frozenset[str]
    until_s: float


class Looking:
    """Connections by the conversations that they look at, and who looks elsewhere.

    Args:
        say: tells the other gateways.
    """

    def __init__(self, say: Callable[[Glance], None]) -> None:
        self._say = say
        self._at: dict[Place, set[Connection]] = {}
        self._of: dict[Connection, dict[Place, float]] = {}
        """Each with when he last typed there, in seconds."""
        self._elsewhere: OrderedDict[Place, dict[str, Seen]] = OrderedDict()
        self.conversations: set[UUID] = set()
        """All that are looked at here."""

    async def run(self) -> None:
        """Forget what does not hold any more, and repeat what does, until cancelled."""
        for number in count():
            self.tick(number, time.monotonic())
            await asyncio.sleep(TICK_S)

    def tick(self, number: int, now_s: float) -> None:
        """The same, once."""
        for place in [place for place, seen in self._elsewhere.items() if _expire(seen, now_s)]:
            self._tidy(place)
            self._tell_who(place)
        for place in self._at:
            if place[1].int % REPEAT_TICKS == number % REPEAT_TICKS:
                self._say(Glance(place, self._here(place)))

    @property
    def places(self) -> Collection[Place]:
        """The conversations that are looked at here."""
        return tuple(self._at)

    def at(self, place: Place) -> Collection[Connection]:
        """The connections here that look at a conversation."""
        return tuple(self._at.get(place, ()))

    def look(self, connection: Connection, conversation: UUID) -> None:
        """He, who may see it, looks at it from now on; at the cost of the one that he began with, if many."""
        place = connection.identity.workspace, conversation
        places = self._of.setdefault(connection, {})
        if place in places:
            return
        places[place] = -TYPING_EVERY_S
        self._at.setdefault(place, set()).add(connection)
        self.conversations.add(conversation)
        self._changed(place)
        if len(places) > LOOKED_AT_MAX:
            self.look_away(connection, next(iter(places))[1])

    def look_away(self, connection: Connection, conversation: UUID) -> None:
        """He does not any more."""
        place = connection.identity.workspace, conversation
        places = self._of.get(connection, {})
        if place not in places:
            return
        del places[place]
        if not places:
            del self._of[connection]
        self._at[place].discard(connection)
        if not self._at[place]:
            del self._at[place]
            self.conversations.discard(conversation)
        self._changed(place)

    def leave(self, connection: Connection) -> None:
        """He is gone."""
        for _, conversation in list(self._of.get(connection, ())):
            self.look_away(connection, conversation)

    def type_in(self, connection: Connection, conversation: UUID, now_s: float) -> None:
        """Tell the others who look at it that he types; nothing when he does not look at it himself."""
        place = connection.identity.workspace, conversation
        typed_s = self._of.get(connection, {}).get(place)
        agent = connection.identity.agent
        if typed_s is None or agent is None or now_s - typed_s < TYPING_EVERY_S:
            return
        self._of[connection][place] = now_s
        self._say(Glance(place, (agent,), types=True))
        self._tell_typing(place, agent)

    def hear(self, gateway: str, glance: Glance, now_s: float) -> None:
        """Another gateway has told this."""
        place = glance.place
        if glance.types:
            for agent in glance.agents:
                self._tell_typing(place, agent)
            return
        before = self._who(place)
        seen = self._elsewhere.setdefault(place, {})
        seen[gateway] = Seen(frozenset(glance.agents), now_s + LASTS_S)
        if not glance.agents:
            del seen[gateway]
        self._elsewhere.move_to_end(place)
        self._tidy(place)
        if len(self._elsewhere) > ELSEWHERE_MAX:
            self._elsewhere.popitem(last=False)
        if self._who(place) != before:
            self._tell_who(place)

    def _changed(self, place: Place) -> None:
        self._say(Glance(place, self._here(place)))
        self._tell_who(place)

    def _tidy(self, place: Place) -> None:
        if not self._elsewhere.get(place, True):
            del self._elsewhere[place]

    def _here(self, place: Place) -> tuple[str, ...]:
        return tuple(sorted({one.identity.agent for one in self._at.get(place, ()) if one.identity.agent}))

    def _who(self, place: Place) -> list[str]:
        elsewhere = (seen.agents for seen in self._elsewhere.get(place, {}).values())
        return sorted({*self._here(place)}.union(*elsewhere))

    def _tell_who(self, place: Place) -> None:
        text = transient("looking", {"conversation": str(place[1]), "agents": self._who(place)})
        for one in self._at.get(place, ()):
            one.send(text)

    def _tell_typing(self, place: Place, agent: str) -> None:
        text = transient("typing", {"conversation": str(place[1]), "agent": agent})
        for one in self._at.get(place, ()):
            if one.identity.agent != agent:
                one.send(text)


def _expire(seen: dict[str, Seen], now_s: float) -> bool:
    """Drop what does not hold any more; whether there was any."""
    gone = [gateway for gateway, one in seen.items() if one.until_s <= now_s]
    for gateway in gone:
        del seen[gateway]
    return bool(gone)
