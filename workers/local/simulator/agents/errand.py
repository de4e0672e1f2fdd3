"""Sends an agent's acts until he knows what became of them: over his socket, or over HTTP."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from random import Random

import httpx

from workers.local.simulator.agents.account import Account
from workers.local.simulator.agents.act import Act, Answer
from workers.local.simulator.agents.habits import Habits
from workers.local.simulator.agents.ledger import AgentLedger
from workers.local.simulator.agents.link import Link, LinkLostError

TIMEOUT_S = 15.0
"""Longer than the gateway waits for an outcome."""
RETRY_DELAYS_S = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0, 5.0, 5.0)
_LATER = {HTTPStatus.ACCEPTED, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
"""What it became is not known, or it was not looked at: the same may be sent again."""


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
        for number, delay_s in enumerate(RETRY_DELAYS_S):
            if number:
                await asyncio.sleep(delay_s)
            # Who has lost his connection asks again over HTTP what became of it.
            answer = await self._once(act, key, over_http=over_http or number > 0)
            if answer is not None and answer.status == HTTPStatus.UNAUTHORIZED:
                self._account.forget_token()
            elif answer is not None and answer.status not in _LATER:
                return answer
        return None

    async def _once(self, act: Act, key: str, *, over_http: bool) -> Answer | None:
        """The answer; none: it did not come."""
        try:
            if over_http or self.link is None:
                return await self._account.call(act, key, TIMEOUT_S)
            return await self.link.call(act, key, TIMEOUT_S)
        except (httpx.TransportError, LinkLostError, TimeoutError):
            return None
