"""Which addresses are kept out of which page, as Postgres has it: a change counts within a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

from config.logging import get_logger
from workers.channels.network import Network
from workers.channels.website.blocks import Block, Blocks
from workers.runtime.postgres import DATABASE_ERRORS

LOOK_EVERY_S = 0.5
RETRY_S = 1.0
KNOWN_DEADLINE_S = 3.0
# Of the workspace that has the page alone.
VERSIONS = """
SELECT v.workspace_id, v.page_id, v.version FROM address_block_version v
JOIN page_registry p ON p.page_id = v.page_id AND p.workspace_id = v.workspace_id
WHERE v.page_id = ANY ($1::text[])
"""
READ = "SELECT network::text, until FROM address_block WHERE workspace_id = $1 AND page_id = $2"

_log = get_logger(__name__)


class Blacklist:
    """Of the pages of one ingress.

    Args:
        pool: asyncpg's.
        on_change: told of a page whose blocks are others than before.
    """

    def __init__(self, pool: Any, pages: Collection[str], on_change: Callable[[str], None]) -> None:  # noqa: ANN401
        self._pool = pool
        self._pages = list(pages)
        self._on_change = on_change
        self._versions: dict[str, tuple[str, int]] = {}
        self._blocks: dict[str, Blocks] = {}
        self._known = asyncio.Event()

    async def known(self) -> bool:
        """Whether it is known, which takes a moment in the beginning; nobody is let in before."""
        with suppress(TimeoutError):
            async with asyncio.timeout(KNOWN_DEADLINE_S):
                await self._known.wait()
        return self._known.is_set()

    def keeps_out(self, page: str, address: Network | None) -> bool:
        """Whether an address is kept out of a page now."""
        blocks = self._blocks.get(page)
        return blocks is not None and blocks.keep_out(address, datetime.now(UTC))

    async def run(self) -> None:
        """Look what has changed, until cancelled; while Postgres is away, what is known holds."""
        while True:
            try:
                await self.look()
            except DATABASE_ERRORS as error:
                _log.warning("blacklist_waits_for_postgres", error=error)
                await asyncio.sleep(RETRY_S)
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """The same, once. Raises what Postgres raises."""
        rows = await self._pool.fetch(VERSIONS, self._pages)
        versions = {row["page_id"]: (row["workspace_id"], row["version"]) for row in rows}
        for page in self._versions.keys() - versions.keys():  # another workspace's by now
            del self._versions[page], self._blocks[page]
        for page, (workspace, version) in versions.items():
            if self._versions.get(page) != (workspace, version):
                found = await self._pool.fetch(READ, workspace, page)
                self._blocks[page] = Blocks(Block(ip_network(row["network"]), row["until"]) for row in found)
                self._versions[page] = workspace, version
                self._on_change(page)
        self._known.set()
