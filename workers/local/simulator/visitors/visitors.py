"""The visitors of a website: some are new, others go on, some leave and return."""

from __future__ import annotations

import asyncio
import time
from random import Random

import httpx
from websockets.exceptions import InvalidHandshake

from workers.local.simulator.ledger import Ledger
from workers.local.simulator.turns import Turns
from workers.local.simulator.visitors.habits import Habits
from workers.local.simulator.visitors.ledger import VisitorLedger
from workers.local.simulator.visitors.tab import LOST, Place
from workers.local.simulator.visitors.visitor import Visitor

HERE_MAX = 150
"""On the website at once."""
KNOWN_MAX = 400
"""Who may come back; beyond that nobody new comes."""
AT_ONCE = 32
UPLOAD_TIMEOUT_S = 20.0
COMPARE_DEADLINE_S = 20.0
COMPARE_EVERY_S = 0.2


class Visitors:
    """Plays them; the ledgers grow while it runs.

    Args:
        place: where they are.
        ledger: what they say is added to it.
        rate_per_s: messages a second on average.
        seed: of names, texts and chances; with the same run it invents the same people.
        run: part of every message's id; by default the time.
    """

    def __init__(
        self,
        place: Place,
        ledger: Ledger,
        *,
        rate_per_s: float,
        seed: int = 1,
        run: str | None = None,
        habits: Habits | None = None,
    ) -> None:
        self.ledger = VisitorLedger()
        self._place = place
        self._said = ledger
        self._rate_per_s = rate_per_s
        self._run = run or f"{time.time_ns():x}"
        self._random = Random(f"{seed}/visitors/{self._run}")  # noqa: S311 - no secret
        self._habits = habits or Habits()
        self._client = httpx.AsyncClient(timeout=UPLOAD_TIMEOUT_S, trust_env=False)
        self._all: list[Visitor] = []
        self._idle: list[Visitor] = []
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let nobody say any more; `run` returns once what is under way is taken."""
        self._stopping.set()

    async def run(self) -> None:
        """Have them write at random moments, until `stop`."""
        async with asyncio.TaskGroup() as group:
            turns = Turns(group, AT_ONCE)
            while not await self._stops_within(self._random.expovariate(self._rate_per_s)):
                await turns.begin(self._turn(self._next()))

    async def compare(self) -> None:
        """Once all is worked through: everybody has what his transcript shows, as a fresh tab has it."""
        places = asyncio.Semaphore(AT_ONCE)

        async def one(visitor: Visitor) -> None:
            async with places:
                was_here = visitor.is_here
                unshown = await _unshown(visitor)
                self.ledger.misshown += unshown
                if not was_here:
                    await visitor.leave()

        await asyncio.gather(*(one(visitor) for visitor in self._all if visitor.has_spoken))

    async def aclose(self) -> None:
        """Everybody leaves."""
        await asyncio.gather(*(visitor.leave() for visitor in self._all))
        await self._client.aclose()

    async def _turn(self, visitor: Visitor) -> None:
        if visitor.has_spoken:
            self.ledger.returned += not visitor.is_here
        else:
            self.ledger.came += 1
        await visitor.speak()
        if self._random.random() < self._habits.leaves or self.ledger.online > HERE_MAX:
            await visitor.leave()
        self._idle.append(visitor)

    def _next(self) -> Visitor:
        """Somebody new, or whoever is not busy."""
        is_full = len(self._all) >= KNOWN_MAX
        if not self._idle or (not is_full and self._random.random() < self._habits.new):
            name = f"{self._run}-{len(self._all)}"
            ledgers = self._said, self.ledger
            self._all.append(Visitor(self._place, self._client, self._habits, ledgers, self._random, name))
            return self._all[-1]
        return self._idle.pop(self._random.randrange(len(self._idle)))

    async def _stops_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True


async def _unshown(visitor: Visitor) -> int:
    """How many messages he lacks, or has too many, when there was time for the last ones to come."""
    deadline_s = time.monotonic() + COMPARE_DEADLINE_S
    found = 1
    while found and time.monotonic() < deadline_s:
        try:
            await visitor.come()
            found = await visitor.unshown()
        except (*LOST, InvalidHandshake):
            found = 1
        if found:
            await asyncio.sleep(COMPARE_EVERY_S)
    return found
