"""When the next batch may begin, while few records wait."""

from __future__ import annotations

import asyncio
from math import inf


class Pace:
    """Batches begin at an interval, and what comes meanwhile shares one.

    A batch's transactions cost servers and worker nearly the same whether they bring one record or fifty. At
    a steady rate, batches that begin as soon as they can fill every core, and then each waits for the others:
    with fewer of them a record arrives sooner. Behind a backlog batches are large anyway.

    Args:
        interval_s: from the beginning of a batch to that of the next one, at least.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._due_at = -inf

    def begin(self) -> None:
        """A batch begins."""
        self._due_at = _now() + self._interval_s

    def hurry(self) -> None:
        """More waits than a batch takes."""
        self._due_at = -inf

    @property
    def is_due(self) -> bool:
        """Whether the next batch may begin."""
        return _now() >= self._due_at

    async def due(self) -> None:
        """Wait until it may."""
        if not self.is_due:
            await asyncio.sleep(self._due_at - _now())


def _now() -> float:
    return asyncio.get_running_loop().time()
