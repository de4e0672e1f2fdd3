"""Who is connected beside the agents of the rule: outsiders, and one who works on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from bench.failures import BenchError
from bench.sockets.clients import Clients, clients
from bench.sockets.customers import Customers
from bench.sockets.member import Told
from bench.sockets.people import BESIDE, FREE, OUTSIDE, People
from bench.sockets.team import Serving

PAUSE_S = 0.005
OFFER_EVERY_S = 0.25
WARM_UP_S = 1.0


class Beside:
    """Outsiders must hear nothing of the races; the one who works on has a conversation of his own."""

    def __init__(self, outsiders: Clients, steady: Clients, conversation: str) -> None:
        self._outsiders, self._steady, self._conversation = outsiders, steady, conversation
        self.quiet: list[Told] = []
        """What the one who works on was told while nothing else happened; then while offers were made."""
        self.disturbed: list[Told] = []
        self._others: list[Told] = []

    @classmethod
    async def begin(
        cls, people: People, customers: Customers, serving: Serving, stack: AsyncExitStack
    ) -> Beside:
        """Let them sign in, and show that they hear what is theirs. Raises BenchError."""
        outsiders = await stack.enter_async_context(clients(1))
        steady = await stack.enter_async_context(clients(1))
        await outsiders.come(serving.port, people.outsiders)
        await steady.come(serving.port, [people.steady])
        await outsiders.all("hear", event="offered", conversation=await customers.write(OUTSIDE))
        conversation = await customers.write(BESIDE)
        await steady.all("hear", event="assigned", conversation=conversation)
        return cls(outsiders, steady, conversation)

    @property
    def told(self) -> list[Told]:
        """All that the one who works on was told."""
        return [*self._others, *self.quiet, *self.disturbed]

    async def work(
        self, customers: Customers, seen: Callable[[str], Awaitable[None]], seconds: float
    ) -> None:
        """Work on, with and without offers to the agents, who have `seen` them then. Raises BenchError."""
        self._others = await self._keep_asking("warm-up", WARM_UP_S)
        self.quiet = await self._keep_asking("quiet", seconds)
        asking = asyncio.create_task(self._keep_asking("disturbed", seconds))
        offered = []
        while not asking.done():
            offered.append(await customers.write(FREE))
            await asyncio.wait((asking,), timeout=OFFER_EVERY_S)
        for conversation in offered:
            await seen(conversation)
        self.disturbed = await asking

    async def check(self) -> None:
        """Raise BenchError when an outsider was pushed anything but the one offer that was his."""
        pushes = await self._outsiders.sum("pushes")
        if set(pushes.values()) != {1}:
            raise BenchError(f"agents outside the rule were pushed what is not theirs: {pushes}")

    async def _keep_asking(self, run: str, seconds: float) -> list[Told]:
        found = await self._steady.all(
            "keep_asking", conversation=self._conversation, run=run, seconds=seconds, pause_s=PAUSE_S
        )
        told = [Told(*one) for one in found]
        if refused := [one for one in told if one.code != "done"]:
            raise BenchError(f"the agent beside the others was refused: {refused[:3]}")
        return told
