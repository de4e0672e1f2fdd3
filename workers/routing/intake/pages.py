"""Which workspace and desk a page belongs to: the registry, remembered for at most a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from workers.routing.intake.freshness import Freshness
from workers.runtime.handler import Connection

OWNERS = "SELECT page_id, workspace_id, desk_id FROM page_registry WHERE page_id = ANY($1::text[])"


class Owner(NamedTuple):
    """Whose a page is."""

    workspace: str
    desk: str


class Pages:
    """A cache of the registry that is never older than a second; unknown pages are not remembered."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._freshness = Freshness(clock_s)
        self._owners: dict[str, Owner] = {}

    async def look_up(self, connection: Connection, pages: set[str]) -> None:
        """Make sure that the owners of `pages` are known, as far as they have one."""
        if self._freshness.is_over():
            self._owners.clear()
        missing = pages - self._owners.keys()
        if missing:
            for page, workspace, desk in await connection.fetch(OWNERS, list(missing)):
                self._owners[page] = Owner(workspace, desk)

    def owner(self, page: str) -> Owner | None:
        """Whose `page` is; none: nobody has connected it. Only of pages that were looked up."""
        return self._owners.get(page)
