"""The errands of a worker: what is due is begun, a page's calls one by one, pages beside each other."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from config.logging import get_logger
from config.settings import Settings
from config.topics import DEADLETTER, INBOUND
from workers.channels.delivery.metrics import ErrandMetrics
from workers.channels.delivery.posting import open_client
from workers.channels.delivery.vault import Vault
from workers.channels.publisher import Publisher
from workers.channels.reading import errand_rows, runner
from workers.channels.reading.errand_rows import Rates
from workers.channels.reading.readers import open_readers
from workers.channels.reading.runner import Means
from workers.runtime.postgres import DATABASE_ERRORS, new_pool

POLL_S = 0.25
AT_ONCE_MAX = 20
"""Pages that are read at the same time, by each worker."""
PUBLISH_DEADLINE_S = 10.0
LEASE_SLACK_S = 20.0
POOL_MAX = 4

log = get_logger(__name__)


class Errands:
    """Of one worker. Several may work at once: each errand is taken by one of them.

    Args:
        settings: of everything.
        vault: opens the pages' tokens.
    """

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self._settings = settings
        self._vault = vault
        self._running: set[asyncio.Task[None]] = set()
        self._broken: list[BaseException] = []

    async def run(self) -> None:
        """Work until cancelled. Raises what nobody foresaw."""
        kafka = self._settings.kafka
        publisher = Publisher(
            kafka, (INBOUND, DEADLETTER), PUBLISH_DEADLINE_S, ErrandMetrics(), self._broken.append
        )
        pool = await new_pool(self._settings, "tongdai delivery errands", POOL_MAX)
        try:
            async with open_client(self._settings.delivery) as client, publisher:
                readers = open_readers(client, self._settings)
                await self._go(Means(self._settings, pool, readers, self._vault, publisher))
        finally:
            pool.terminate()

    async def _go(self, means: Means) -> None:
        try:
            while not self._broken:
                await self._begin(means)
                await asyncio.sleep(POLL_S)
            raise self._broken[0]
        finally:
            # Nothing is lost by what is cut off: it is read again.
            for task in self._running:
                task.cancel()
            if self._running:
                await asyncio.wait(self._running)

    async def _begin(self, means: Means) -> None:
        """Begin what is due, as far as there is room."""
        room = AT_ONCE_MAX - len(self._running)
        if room <= 0 or not means.publisher.connected:
            return
        delivery = self._settings.delivery
        rates = Rates(
            {"messenger": delivery.messenger_read_rate_per_s, "zalo": delivery.zalo_read_rate_per_s},
            {"zalo": delivery.zalo_app_rate_per_s},
        )
        lease = timedelta(seconds=delivery.request_timeout_s + PUBLISH_DEADLINE_S + LEASE_SLACK_S)
        try:
            async with means.pool.acquire() as connection:
                errands = await errand_rows.claim(connection, room, rates, lease)
        except DATABASE_ERRORS as error:
            log.warning("errands_wait_for_postgres", error=error)
            return
        for errand in errands:
            task = asyncio.create_task(runner.run(means, errand), name=f"errand of {errand.page}")
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken.append(error)
