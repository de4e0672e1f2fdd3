"""From which networks visitors come who have ever written, so that one can be kept out; kept for a while."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from config.logging import get_logger
from config.website import WebsiteSettings
from workers.channels.network import Network, network_of
from workers.channels.website.connection import Tab
from workers.runtime.postgres import DATABASE_ERRORS

GATHER_S = 0.2
RETRY_S = 1.0
FORGET_EVERY_S = 600.0
WAITING_MAX = 10_000
"""While Postgres is away; who comes then is noted when he comes again."""

STORE = """
INSERT INTO visitor_address (workspace_id, conversation_id, network, page_id, seen_at)
SELECT workspace_id, conversation_id, network::cidr, page_id, now()
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[])
    AS seen (workspace_id, conversation_id, network, page_id)
ORDER BY workspace_id, conversation_id, network
ON CONFLICT (workspace_id, conversation_id, network) DO UPDATE SET seen_at = excluded.seen_at
"""  # in one order, for others write the same rows
FORGET = """
DELETE FROM visitor_address WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM visitor_address WHERE seen_at < now() - $1::interval LIMIT 10000))
"""

_log = get_logger(__name__)


class Seen(NamedTuple):
    """A visitor, and from where he came."""

    workspace: str
    conversation: UUID
    network: str
    page: str


class Addresses:
    """Those of one ingress's visitors.

    Args:
        pool: asyncpg's.
    """

    def __init__(self, pool: Any, settings: WebsiteSettings) -> None:  # noqa: ANN401 - asyncpg's
        self._pool = pool
        self._ipv6_prefix = settings.ipv6_prefix
        self._kept = timedelta(days=settings.address_days)
        self._due: dict[Seen, None] = {}
        self._some = asyncio.Event()

    def note(self, tab: Tab) -> None:
        """Keep where somebody comes from who has ever written; never waits."""
        network = self._network(tab.address)
        if tab.is_known and network is not None and len(self._due) < WAITING_MAX:
            self._due[Seen(tab.workspace, tab.conversation, str(network), tab.guest.page)] = None
            self._some.set()

    async def run(self) -> None:
        """Write it, and forget what is too old, until cancelled."""
        forget_s = 0.0
        while True:
            try:
                await self.store()
                if time.monotonic() >= forget_s:
                    await self._pool.execute(FORGET, self._kept)
                    forget_s = time.monotonic() + FORGET_EVERY_S
            except DATABASE_ERRORS as error:
                _log.warning("addresses_wait_for_postgres", error=error)
                await asyncio.sleep(RETRY_S)
            await asyncio.sleep(GATHER_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, forget_s - time.monotonic())):
                    await self._some.wait()

    async def store(self) -> None:
        """Write what is due. Raises what Postgres raises."""
        self._some.clear()
        due, self._due = self._due, {}
        if not due:
            return
        try:
            await self._pool.execute(STORE, *map(list, zip(*due, strict=True)))
        except DATABASE_ERRORS:
            self._due = due | self._due
            self._some.set()
            raise

    def _network(self, address: Network | None) -> Network | None:
        """That of a whole address."""
        return None if address is None else network_of(str(address.network_address), self._ipv6_prefix)
