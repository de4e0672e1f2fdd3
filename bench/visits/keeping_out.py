"""Visitors who are kept out while their windows are open: how long each stays open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

import httpx

from bench.failures import BenchError

PER_S = 20.0
"""So many are kept out in a second, each at a moment of its own: an ingress looks at its own pace."""
DEADLINE_S = 30.0
BLOCKED = "closed with 4403"


class Window(Protocol):
    """A visitor's."""

    conversation: str

    def must_go(self, gone: Callable[[str], None]) -> None:
        """It is to be closed soon; `gone` is told why it was."""


class KeepingOut:
    """By the agents who have the visitors' conversations.

    Args:
        holders: access tokens, by the conversations.
    """

    def __init__(self, url: str, holders: Mapping[str, str]) -> None:
        self._url = url
        self._holders = holders

    async def all(self, windows: Sequence[Window]) -> list[float]:
        """How long each stays open from its agent's click on, in ms. Raises BenchError."""
        async with (
            httpx.AsyncClient(base_url=self._url, timeout=DEADLINE_S) as client,
            asyncio.TaskGroup() as group,
        ):
            found = [
                group.create_task(self._one(client, window, number / PER_S))
                for number, window in enumerate(windows)
            ]
        return [each.result() for each in found]

    async def _one(self, client: httpx.AsyncClient, window: Window, wait_s: float) -> float:
        gone: asyncio.Future[tuple[float, str]] = asyncio.get_running_loop().create_future()
        await asyncio.sleep(wait_s)
        window.must_go(lambda why: gone.set_result((time.monotonic(), why)))
        clicked_s = time.monotonic()
        answer = await client.put(
            f"/api/v1/conversations/{window.conversation}/address-block",
            headers={"authorization": f"Bearer {self._holders[window.conversation]}"},
            json={"reason": "other"},
        )
        if answer.status_code != HTTPStatus.OK:
            raise BenchError(f"an address could not be blocked: {answer.text[:200]}")
        async with asyncio.timeout(DEADLINE_S):
            closed_s, why = await gone
        if BLOCKED not in why:
            raise BenchError(f"a visitor who is kept out was {why}")
        return (closed_s - clicked_s) * 1000
