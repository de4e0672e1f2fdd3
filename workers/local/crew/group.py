"""The one process group of a crew, apart from the terminal's: Ctrl-C reaches the workers in order."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class ProcessGroup:
    """A group that lives as long as one of its members does; after that the next one founds another.

    Attributes:
        id: its number, which `kill -- -ID` takes; 0 before there is a first member.
    """

    def __init__(self) -> None:
        self.id = 0
        self._founding = asyncio.Lock()

    @asynccontextmanager
    async def joining(self) -> AsyncIterator[tuple[int, Callable[[int], None]]]:
        """Start one process inside the block.

        Yields the group that it is to join (0: it founds one), and what to call with its process id.
        """
        async with self._founding:
            if not _exists(self.id):
                self.id = 0
            yield self.id, self._joined

    def _joined(self, pid: int) -> None:
        self.id = self.id or pid


def _exists(group: int) -> bool:
    if not group:
        return False
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
