"""Customers write, and all agents click on what they see at the same moment."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.percentiles import Percentiles
from bench.sockets.clients import Clients
from bench.sockets.customers import Customers
from bench.sockets.judging import Times, seconds_of
from bench.sockets.member import Told
from bench.sockets.people import FREE
from bench.sockets.team import Serving

WITHIN_S = 0.05
"""All clicks on one conversation, from the first to the last."""
SOON_S = 0.1
"""A race is announced so long before it begins."""
WINDOW = 32
"""Calls of one socket that the gateway takes at once."""
WARM_UPS = 3
ALL_AT_ONCE_DEADLINE_S = 1_200.0


@dataclass
class Raced:
    """What was found; times in milliseconds."""

    races: Times = field(default_factory=Times)
    offers_ms: list[float] = field(default_factory=list)
    """From the moment of an offer on the log to each agent's socket."""
    clicks: int = 0
    """Of all agents on all conversations at the same time."""
    seconds: float = 0.0
    """From the first of them to the last answer."""
    again: int = 0
    """Clicks that had to be sent once more."""
    cpu_s: float = 0.0
    """Of the gateway's process for these."""

    @property
    def clicks_per_s(self) -> float:
        return self.clicks / self.seconds

    @property
    def cpu_us_per_click(self) -> float:
        return 1e6 * self.cpu_s / self.clicks

    def report(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "winner_ms": asdict(Percentiles.of(self.races.winners)),
            "last_loser_ms": asdict(Percentiles.of(self.races.last_losers)),
            "clicks_within_ms": asdict(Percentiles.of(self.races.spreads)),
            "offer_ms": asdict(Percentiles.of(self.offers_ms)),
            "all_at_once": {
                "clicks": self.clicks,
                "clicks_per_s": round(self.clicks_per_s, 1),
                "gateway_cpu_us_per_click": round(self.cpu_us_per_click, 1),
                "sent_again": self.again,
            },
        }


class Races:
    """The races of these agents at this gateway; what came of them is in `raced`."""

    def __init__(self, agents: Clients, count: int, customers: Customers, serving: Serving) -> None:
        self.raced = Raced()
        self.told: list[Told] = []
        self.over: list[str] = []
        """Conversations that somebody has."""
        self._agents, self._count = agents, count
        self._customers, self._serving = customers, serving
        self._offered: list[str] = []

    async def one_after_another(self, count: int) -> None:
        """So many races for one conversation each, behind a few that do not count. Raises BenchError."""
        for number in range(WARM_UPS + count):
            if number == WARM_UPS:
                self.raced.races, self.raced.offers_ms = Times(), []
            await self.seen(await self._customers.write(FREE))
            await self._race([self._offered.pop()], self.raced.races)

    async def all_at_once(self, count: int) -> None:
        """One race for so many conversations. Raises BenchError."""
        while len(self._offered) < count:
            await self.seen(await self._customers.write(FREE))
        offered, self._offered = self._offered[:count], self._offered[count:]
        times, before_s = Times(), self._serving.program.cpu_s()
        told = await self._race(offered, times)
        raced = self.raced
        raced.cpu_s = self._serving.program.cpu_s() - before_s
        raced.clicks, raced.seconds, raced.again = len(told), seconds_of(told), times.again

    async def seen(self, conversation: str) -> None:
        """Wait until every agent has seen the offer of it. Raises BenchError."""
        self.raced.offers_ms += await self._agents.all("hear", event="offered", conversation=conversation)
        self._offered.append(conversation)

    async def unexpected(self) -> dict[str, int]:
        """What agents were pushed beside the offers and withdrawals of these races, by event."""
        return await self._agents.sum("left")

    async def _race(self, conversations: Sequence[str], times: Times) -> list[Told]:
        found = await self._agents.all(
            "click",
            ALL_AT_ONCE_DEADLINE_S,
            conversations=conversations,
            race=f"race-{len(self.over)}",
            at_s=time.monotonic() + SOON_S,
            within_s=WITHIN_S,
            window=WINDOW,
        )
        told = [Told(*one) for one in found]
        times.add(told, conversations, self._count)
        for conversation in conversations:
            await self._agents.all("hear", event="withdrawn", conversation=conversation)
        self.told += told
        self.over += conversations
        return told
