"""Sends an agent's acts until he knows what became of them: over his socket, or over HTTP."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from random import Random

import httpx

from workers.local.simulator.agents.account import Account
from workers.local.simulator.agents.act import Act, Answer
from workers.local.simulator.agents.habits import Habits
from workers.local.simulator.agents.ledger import AgentLedger, Attempt
from workers.local.simulator.agents.link import Link, LinkLostError

RETRY_DELAYS_S = (0.0, 0.2, 0.5, 1.0, 2.0, *[5.0] * 20)
"""Long enough for a broker that recovers on a busy machine."""
LOOK_UPS_MAX = 8
_UNSURE = {HTTPStatus.ACCEPTED, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INTERNAL_SERVER_ERROR}
"""It may have been taken, and what it became is not known: the same may be sent again."""


class Errands:
    """Those of one agent; `link` is his socket while he has one.

    Args:
        run: part of every idempotency key, so that two runs never share one.
    """

    def __init__(
        self, account: Account, ledger: AgentLedger, habits: Habits, random: Random, run: str
    ) -> None:
        self.link: Link | None = None
        self._account = account
        self._ledger = ledger
        self._habits = habits
        self._random = random
        self._run = run
        self._count = 0

    async def run(self, act: Act) -> Answer | None:
        """Send `act` again and again under one key until its outcome is told; none: it never was.

        Raises KeptOutError.
        """
        self._count += 1
        key = f"{self._run}-{self._count}"
        over_http = self._random.random() < self._habits.over_http
        answer = await self._until_told(act, key, over_http=over_http)
        if answer is None:
            self._ledger.unanswered += 1
        elif answer.is_decided:
            self._ledger.told[self._account.actor, key] = answer.code
            if self._random.random() < self._habits.again:
                # Nothing is done twice: he is told the same.
                await self._once(act, key, over_http=not over_http)
        else:
            self._ledger.turned_away[self._account.actor, key] = answer.code
        return answer

    async def _until_told(self, act: Act, key: str, *, over_http: bool) -> Answer | None:
        is_unsure = False
        for number, delay_s in enumerate(RETRY_DELAYS_S):
            if number:
                self._ledger.repeats += 1
                await asyncio.sleep(delay_s)
            # Who has lost his connection asks again over HTTP what became of it.
            answer = await self._once(act, key, over_http=over_http or number > 0)
            if answer is None or answer.status in _UNSURE:
                is_unsure = True
            elif answer.status == HTTPStatus.UNAUTHORIZED:
                self._account.forget_token()
            elif answer.is_decided or (not is_unsure and answer.status != HTTPStatus.TOO_MANY_REQUESTS):
                return answer
            elif answer.status != HTTPStatus.TOO_MANY_REQUESTS:
                # He may not do it any more, which says nothing of what he sent before.
                return await self._became(key) or answer
        return None

    async def _became(self, key: str) -> Answer | None:
        """What became of a command that may have been taken; none: nothing, as far as one can know now."""
        for delay_s in RETRY_DELAYS_S[:LOOK_UPS_MAX]:
            await asyncio.sleep(delay_s)
            try:
                answer = await self._account.outcome(key)
            except httpx.TransportError:
                continue
            if answer.is_decided:
                return answer
        return None

    async def _once(self, act: Act, key: str, *, over_http: bool) -> Answer | None:
        """The answer; none: it did not come."""
        link = None if over_http else self.link
        url = self._account.doors.url if link is None else link.url
        attempt = Attempt(self._account.actor, key, act, url)
        self._ledger.asks(attempt)
        answer = await (self._over_http(act, key) if link is None else self._over(link, act, key))
        self._ledger.hears(attempt, answer)
        return answer

    async def _over_http(self, act: Act, key: str) -> Answer | None:
        try:
            return await self._account.call(act, key, self._habits.patience_s)
        except httpx.TransportError:
            return None

    async def _over(self, link: Link, act: Act, key: str) -> Answer | None:
        try:
            return await link.call(act, key, self._habits.patience_s)
        except TimeoutError:
            link.cut()  # the gateway may be as good as dead: he comes back through another one
        except LinkLostError:
            pass
        return None
