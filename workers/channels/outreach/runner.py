"""The runner: gives what waits to who carries it on, beside the delivery worker's lanes."""

from __future__ import annotations

import asyncio
import random
import time

from asyncpg import Pool

from config.logging import get_logger
from config.settings import Settings
from workers.channels.delivery.failures import PASSING_ERRORS
from workers.channels.outreach import metrics, rows
from workers.channels.outreach.means import Give, Means
from workers.channels.outreach.result import NotGiven
from workers.channels.outreach.rows import Claimed
from workers.channels.outreach.verdict import Step, after
from workers.runtime.postgres import new_pool

POLL_S = 0.5
CONNECTIONS_MAX = 4
RECORD_TRIES = 10

log = get_logger(__name__)


class Runner:
    """Of one worker and one means. Several may work at once: each row is taken by one of them.

    Args:
        settings: of everything.
        means: by which it goes.
    """

    def __init__(self, settings: Settings, means: Means) -> None:
        self._settings = settings
        self._means = means
        self._name = "+".join(means.names)
        self._stopping = asyncio.Event()
        self._pages: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Work until cancelled; then bring to its end what is under way. Raises what nobody foresaw."""
        durable = {"synchronous_commit": self._settings.postgres.synchronous_commit}
        name = f"tongdai delivery {self._name}"
        async with new_pool(self._settings, name, CONNECTIONS_MAX, server_settings=durable) as pool:
            try:
                while True:
                    await self._look(pool)
                    await asyncio.sleep(POLL_S)
            finally:
                self._stopping.set()
                if self._pages:
                    await asyncio.wait(self._pages.values())

    async def _look(self, pool: Pool) -> None:
        for page, task in list(self._pages.items()):
            if task.done():
                del self._pages[page]
                task.result()
        try:
            # Fresh, given and stored takes no longer: nobody will end an older attempt.
            lost = await rows.find_lost(pool, self._means.names, 3 * self._means.timeout_s)
            metrics.LOST.labels(self._name).inc(lost)
            due = await rows.due_pages(pool, self._means.names)
        except PASSING_ERRORS as error:
            log.warning("outreach_waits_for_postgres", means=self._name, error=error)
            return
        for page in due:
            if page not in self._pages:
                name = f"{self._name} of {page}"
                self._pages[page] = asyncio.create_task(self._send_for(pool, page), name=name)

    async def _send_for(self, pool: Pool, page: str) -> None:
        """Send what is due for one page until nothing is."""
        try:
            while not self._stopping.is_set():
                begun_s = time.monotonic()
                claimed = await rows.claim(pool, self._means.names, page, self._means.parallel_max)
                if not claimed:
                    return
                give = await self._means.open(pool, page)
                await asyncio.gather(*(self._attempt(pool, one, give, begun_s) for one in claimed))
        except PASSING_ERRORS as error:
            log.warning("outreach_waits_for_postgres", means=self._name, page=page, error=error)

    async def _attempt(self, pool: Pool, claimed: Claimed, give: Give | NotGiven, begun_s: float) -> None:
        if time.monotonic() - begun_s > self._means.timeout_s or self._stopping.is_set():
            await rows.take_back(pool, claimed)
            return
        result = give if isinstance(give, NotGiven) else await give(claimed)
        spread = random.random()  # noqa: S311 - no secret
        step = after(result, claimed.failures, self._means.patience, spread)
        metrics.ATTEMPTS.labels(claimed.means, step.state).inc()
        if isinstance(result, NotGiven):
            log.info(
                "outreach_not_taken",
                means=claimed.means,
                page=claimed.page,
                message=str(claimed.message),
                attempt=claimed.attempt,
                reason=result.reason,
                detail=result.detail,
                then=step.state,
            )
        await self._record(pool, claimed, step)

    async def _record(self, pool: Pool, claimed: Claimed, step: Step) -> None:
        """Store it, though Postgres may be away for a while: what was answered is known only here."""
        for attempt in range(1, RECORD_TRIES + 1):
            try:
                await rows.go_on(pool, claimed, step)
            except PASSING_ERRORS as error:
                log.warning("outreach_not_recorded", message=str(claimed.message), error=error)
                await asyncio.sleep(min(attempt, 5) * random.uniform(0.5, 1))  # noqa: S311 - no secret
            else:
                return
        log.error("outreach_attempt_lost", message=str(claimed.message), effect="it is given once more")
