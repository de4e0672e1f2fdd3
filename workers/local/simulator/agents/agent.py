"""One agent's day: he comes, works, loses his connection, goes home and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from random import Random
from typing import Any

from websockets.exceptions import WebSocketException

from workers.local.simulator.agents.account import Account
from workers.local.simulator.agents.act import Act
from workers.local.simulator.agents.choice import Company, choose, say
from workers.local.simulator.agents.errand import Errands
from workers.local.simulator.agents.habits import Habits
from workers.local.simulator.agents.ledger import AgentLedger
from workers.local.simulator.agents.link import Link, LinkLostError, open_link
from workers.local.simulator.agents.workplace import Workplace

UNDER_WAY_MAX = 8
"""Offers that he goes for at once."""
COMES_WITHIN_S = 2.0
RECONNECT_S = 1.0


class Agent:
    """Somebody who answers customers until he is told to stop."""

    def __init__(
        self, account: Account, company: Company, habits: Habits, ledger: AgentLedger, seed: str
    ) -> None:
        self._account = account
        self._company = company
        self._habits = habits
        self._ledger = ledger
        self._random = Random(f"{seed}/{account.login}")  # noqa: S311 - no secret
        self._errands = Errands(account, ledger, habits, self._random, seed)
        self._place = Workplace()
        self._last_event_id: str | None = None
        self._clicks: set[asyncio.Task[None]] = set()
        self._away = False

    async def run(self, stopping: asyncio.Event, on_online: Callable[[], None]) -> None:
        """Come and go until `stopping` is set; what is under way is finished. Raises KeptOutError.

        `on_online` is called whenever he has come.
        """
        await _passed(stopping, self._random.uniform(0, COMES_WITHIN_S))
        while not stopping.is_set():
            try:
                await self._shift(stopping, on_online)
            except (OSError, TimeoutError, WebSocketException, LinkLostError):
                self._account.doors.leave(self._account.doors.url)
                await _passed(stopping, RECONNECT_S)

    async def _shift(self, stopping: asyncio.Event, on_online: Callable[[], None]) -> None:
        """Be connected, and work, for a while; then go home, or lose the connection and be back at once."""
        token = await self._account.token()
        async with open_link(self._account.doors.url) as link:
            await link.sign_in(token, self._last_event_id)
            self._ledger.returns += self._last_event_id is not None
            listening = asyncio.create_task(link.listen(self._hear))
            self._errands.link = link
            self._ledger.online.add(self._account.login)
            on_online()
            try:
                is_lost = await self._work(link, listening, stopping)
            except asyncio.CancelledError:
                for click in self._clicks:
                    click.cancel()
                raise
            finally:
                self._errands.link = None
                self._ledger.online.discard(self._account.login)
                await self._settle(listening)
        if link.is_signed_out:
            self._account.forget_token()
        if is_lost:
            self._account.doors.leave(link.url)
        else:
            await _passed(stopping, self._random.expovariate(1 / self._habits.home_s))

    async def _work(self, link: Link, listening: asyncio.Task[None], stopping: asyncio.Event) -> bool:
        """One thing after the other; whether the connection is lost, and not left."""
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + self._random.expovariate(1 / self._habits.shift_s)
        token = await self._account.token()
        while loop.time() < ends_s:
            if await _passed(stopping, self._random.expovariate(1 / self._habits.pause_s)):
                return False
            if listening.done():
                return True
            if (renewed := await self._account.token()) != token:
                token = renewed
                await link.sign_in(token)
            chance = self._random.random()
            if chance < self._habits.lost:
                link.cut()
                return True
            if chance < self._habits.lost + self._habits.away:
                self._away = not self._away
                await link.step_away(away=self._away)
            elif (act := choose(self._place, self._company, self._habits, self._random)) is not None:
                await self._do(act)
        return False

    def _hear(self, event: str, id_: str, data: Mapping[str, Any]) -> None:
        self._last_event_id = id_
        self._ledger.sees(self._account.actor, event, id_, data)
        if event == "reset":
            self._place.reset()
            return
        self._place.see(event, data)
        goes_for_it = event == "offered" and self._random.random() < self._habits.claim
        is_working = self._errands.link is not None
        if goes_for_it and is_working and len(self._clicks) < UNDER_WAY_MAX:
            self._begin(self._click(str(data["conversation"])))

    async def _click(self, conversation: str) -> None:
        """Claim it, or answer it, unless it has vanished before the hand was there."""
        await asyncio.sleep(self._habits.reacts_after_s(self._random))
        if conversation not in self._place.offered:
            return
        replies = self._random.random() < self._habits.reply
        await self._do(say(conversation, self._random) if replies else Act("claim", conversation, {}))

    async def _do(self, act: Act) -> None:
        answer = await self._errands.run(act)
        if answer is not None:
            self._place.learn(act, answer)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._clicks.add(task)
        task.add_done_callback(self._clicks.discard)

    async def _settle(self, listening: asyncio.Task[None]) -> None:
        """Let those clicks end that are under way, and hear nothing more."""
        try:
            await asyncio.gather(*self._clicks)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def _passed(stopping: asyncio.Event, seconds: float) -> bool:
    """Wait; whether `stopping` was set meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return False
    return True
