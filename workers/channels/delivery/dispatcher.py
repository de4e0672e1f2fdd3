"""The dispatcher: sends couriers to pages that have something to send, and looks after what is left over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg

from config.logging import get_logger
from config.settings import Settings
from workers.channels.delivery import lost, page_rows
from workers.channels.delivery.courier import Courier, Means
from workers.channels.delivery.enclosing import Enclosing
from workers.channels.delivery.failures import PASSING_ERRORS
from workers.channels.delivery.metrics import LOST
from workers.channels.delivery.posting import open_client
from workers.channels.delivery.renewal import Renewal
from workers.channels.delivery.senders import open_clients, open_senders
from workers.channels.delivery.vault import Vault
from workers.channels.delivery.zalo_tokens import ZaloTokens
from workers.files.files import open_files
from workers.runtime.postgres import new_pool

POLL_S = 0.5
"""Without being told, pages are looked at so often: back-offs end, pauses are over."""
POOL_MAX = 12
COURIERS_MAX = 1_000

log = get_logger(__name__)


class Dispatcher:
    """Of one worker. Several may work at once: each message is taken by one of them.

    Args:
        settings: of everything.
        vault: opens the pages' tokens.
    """

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self._settings = settings
        self._vault = vault
        self._files = open_files(settings)
        self._stopping = asyncio.Event()
        self._news = asyncio.Event()
        self._couriers: dict[str, asyncio.Task[None]] = {}
        self._listening: asyncpg.Connection | None = None

    async def run(self) -> None:
        """Work until cancelled; then bring to its end what is under way. Raises what nobody foresaw."""
        delivery = self._settings.delivery
        async with (
            open_clients(delivery) as clients,
            open_client(delivery) as for_tokens,
            self._pool() as pool,
        ):
            senders = open_senders(clients, self._settings)
            enclosing = Enclosing(pool, self._files)
            means = Means(self._settings, pool, senders, self._vault, enclosing)
            tokens = ZaloTokens(for_tokens, self._settings)
            renewal = Renewal(pool, tokens, self._vault, delivery)
            try:
                while True:
                    await self._look(means, renewal)
                    await self._wait()
            finally:
                self._stopping.set()
                await asyncio.gather(renewal.finish(), *self._couriers.values(), return_exceptions=True)

    async def _look(self, means: Means, renewal: Renewal) -> None:
        self._news.clear()
        try:
            await self._listen(means.pool)
            async with means.pool.acquire() as connection:
                LOST.inc(await lost.find_lost(connection, self._settings.delivery))
                pages = await page_rows.due_pages(connection)
            self._end_couriers()
            self._send(means, pages)
            await renewal.begin_due()
        except PASSING_ERRORS as error:
            log.warning("delivery_waits_for_postgres", error=error)

    def _send(self, means: Means, pages: list[str]) -> None:
        for page in pages:
            if page not in self._couriers and len(self._couriers) < COURIERS_MAX:
                courier = Courier(means, page, self._stopping)
                task = asyncio.create_task(courier.run(), name=f"courier of {page}")
                task.add_done_callback(lambda _: self._news.set())
                self._couriers[page] = task

    def _end_couriers(self) -> None:
        """Forget who is back. Raises what nobody foresaw; what Postgres raised is tried again."""
        for page, task in list(self._couriers.items()):
            if not task.done():
                continue
            del self._couriers[page]
            error = task.exception()
            if isinstance(error, PASSING_ERRORS):
                log.warning("courier_back", page=page, error=error)
            elif error is not None:
                raise error

    async def _wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._news.wait()

    async def _listen(self, pool: asyncpg.Pool) -> None:
        """Be told at once when there is something to send; on a connection of its own, renewed when lost."""
        if self._listening is not None and not self._listening.is_closed():
            return
        if self._listening is not None:
            await pool.release(self._listening)
        self._listening = await pool.acquire()
        await self._listening.add_listener(page_rows.CHANNEL, lambda *_: self._news.set())

    @contextlib.asynccontextmanager
    async def _pool(self) -> AsyncIterator[asyncpg.Pool]:
        durable = {"synchronous_commit": self._settings.postgres.synchronous_commit}
        pool = await new_pool(self._settings, "tongdai delivery couriers", POOL_MAX, server_settings=durable)
        try:
            yield pool
        finally:
            pool.terminate()
