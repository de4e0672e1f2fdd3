"""Posts what a platform tells of messages that it has taken: echoes, deliveries, readings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from workers.local.simulator.webhook import Webhook

Post = Callable[[Webhook], Awaitable[Any]]
"""Posts one webhook, and again until it is taken."""


class Teller:
    """Tells in the background, in order.

    Args:
        post: none: nothing is told.
    """

    def __init__(self, post: Post | None) -> None:
        self._post = post
        self._waiting: asyncio.Queue[Webhook] = asyncio.Queue(maxsize=10_000)

    def tell(self, webhook: Webhook) -> None:
        """Post it soon. What does not fit is not told, as when a platform has switched the webhook off."""
        if self._post is not None and not self._waiting.full():
            self._waiting.put_nowait(webhook)

    async def run(self) -> None:
        """Post what is to be told, until cancelled."""
        while True:
            webhook = await self._waiting.get()
            if self._post is not None:
                await self._post(webhook)
            self._waiting.task_done()

    async def told(self) -> None:
        """Wait until all was told."""
        await self._waiting.join()
