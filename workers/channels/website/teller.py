"""Tells visitors what is new in their transcripts.

Only that something is new is heard from Kafka; what it is is read from the transcript, behind the position
that each tab has. So nothing is told twice, nothing is left out, and the order is the transcript's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import groupby
from typing import Any
from uuid import UUID

from config.logging import get_logger
from workers.channels.website.hub import Hub
from workers.channels.website.links import add_links
from workers.channels.website.transcript import LINES_MAX, read_after
from workers.files.files import Files
from workers.runtime.postgres import DATABASE_ERRORS

AT_ONCE_MAX = 200
"""Conversations that one query reads."""
RETRY_S = 1.0

_log = get_logger(__name__)


class Teller:
    """Reads for all tabs of this ingress.

    Args:
        pool: asyncpg's.
        files: those that lines name.
    """

    def __init__(self, pool: Any, hub: Hub, files: Files | None = None) -> None:  # noqa: ANN401 - asyncpg's
        self._pool = pool
        self._hub = hub
        self._files = files
        self._due: dict[UUID, None] = {}
        self._some = asyncio.Event()

    def wake(self, conversations: Iterable[UUID]) -> None:
        """Something is new in these; never waits."""
        self._due.update(dict.fromkeys(conversations))
        self._some.set()

    async def run(self) -> None:
        """Tell, until cancelled; while Postgres is away it waits."""
        while True:
            await self._some.wait()
            self._some.clear()
            while self._due:
                due = [self._due.popitem()[0] for _ in range(min(AT_ONCE_MAX, len(self._due)))]
                try:
                    await self._tell(due)
                except DATABASE_ERRORS as error:
                    _log.warning("visitors_wait_for_postgres", error=error)
                    self.wake(due)
                    await asyncio.sleep(RETRY_S)

    async def _tell(self, due: Iterable[UUID]) -> None:
        asks = self._hub.asks(due)
        if not asks:
            return
        found = await read_after(self._pool, asks)
        workspaces = {ask.conversation: ask.workspace for ask in asks}
        await add_links(self._pool, self._files, found, workspaces.__getitem__)
        for conversation, group in groupby(found, lambda line: line.conversation):
            lines = list(group)
            self._hub.tell(conversation, lines)
            if len(lines) == LINES_MAX:
                self.wake((conversation,))
