"""How a platform delivers: it posts, and posts again until it is answered 200 or has had enough."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus

import httpx

from workers.local.simulator.ledger import Ledger
from workers.local.simulator.webhook import Webhook

RETRY_DELAYS_S = (0.2, 0.5, 1.0, 2.0, *(5.0,) * 20)
"""Seconds before each further attempt. The platforms' own go up to an hour: the same in quick motion."""


class Delivery:
    """Posts webhooks to the ingress, at most `concurrency` at once."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        ledger: Ledger,
        concurrency: int,
        retry_delays_s: Sequence[float] = RETRY_DELAYS_S,
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._retry_delays_s = retry_delays_s
        self._slots = asyncio.Semaphore(concurrency)

    async def deliver(self, webhook: Webhook, timeout_s: float) -> bool:
        """Post until it is answered 200. Returns False when it is refused or given up."""
        for delay_s in (*self._retry_delays_s, None):
            answer = await self._post(webhook, timeout_s)
            if answer == HTTPStatus.OK:
                return True
            if answer is not None and answer < 500 and answer != HTTPStatus.TOO_MANY_REQUESTS:
                self._ledger.refused += 1
                return False
            if delay_s is not None:
                await asyncio.sleep(delay_s)
                self._ledger.retries += 1
        self._ledger.given_up += 1
        return False

    async def _post(self, webhook: Webhook, timeout_s: float) -> int | None:
        """The status of the answer; none when there was no answer in time."""
        async with self._slots:
            try:
                response = await self._client.post(
                    webhook.path, content=webhook.body, headers=webhook.headers, timeout=timeout_s
                )
            except httpx.TransportError as error:
                late = isinstance(error, httpx.TimeoutException)
                self._ledger.answers["timeout" if late else "unreachable"] += 1
                return None
        self._ledger.answers[str(response.status_code)] += 1
        return response.status_code
