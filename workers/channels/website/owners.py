"""Whose the pages of websites are, as Postgres has it: a change counts within a second."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from config.logging import get_logger
from workers.channels.website.transcript import workspace_of
from workers.runtime.postgres import DATABASE_ERRORS

LOOK_EVERY_S = 0.5
RETRY_S = 0.5
MAX_AGE_S = 1.0
"""So long what was seen is believed."""
# One descent of the index for each, whatever the planner believes of the table's size.
OWNERS = """
SELECT found.page_id, found.workspace_id FROM unnest($1::text[]) AS wanted (page_id)
CROSS JOIN LATERAL (
    SELECT page_id, workspace_id FROM page_registry WHERE page_id = wanted.page_id LIMIT 1) AS found
"""

_log = get_logger(__name__)


class Owners:
    """Of the pages of one ingress.

    Args:
        pool: asyncpg's.
        on_change: told of pages whose owners are others than before; none: nobody has it any more.
        clock_s: a clock that never goes back.
    """

    def __init__(
        self,
        pool: Any,  # noqa: ANN401 - asyncpg's
        pages: Collection[str],
        on_change: Callable[[Mapping[str, str | None]], None],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._pages = list(pages)
        self._on_change = on_change
        self._clock_s = clock_s
        self._owners: dict[str, str] = {}
        self._looked_s = -math.inf

    async def workspace(self, page: str) -> str | None:
        """Whose a page is; none: nobody's, which is not remembered. Raises what Postgres raises."""
        is_fresh = self._clock_s() - self._looked_s < MAX_AGE_S
        known = self._owners.get(page) if is_fresh else None
        return known or await workspace_of(self._pool, page)

    async def run(self) -> None:
        """Look what has changed, until cancelled."""
        while True:
            try:
                await self.look()
            except DATABASE_ERRORS as error:
                _log.warning("owners_wait_for_postgres", error=error)
                await asyncio.sleep(RETRY_S)
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """The same, once. Raises what Postgres raises."""
        looked_s = self._clock_s()
        found = dict(await self._pool.fetch(OWNERS, self._pages))
        changed = {page for page, _ in found.items() ^ self._owners.items()}
        self._owners, self._looked_s = found, looked_s
        if changed:
            self._on_change({page: found.get(page) for page in changed})
