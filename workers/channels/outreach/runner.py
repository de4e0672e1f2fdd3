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
from workers.channels.outreach.result import Given, NotGiven
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
        """Work until cancelled, then bring to its end what is under way, as far as a worker's stop has time.

        Raises what nobody foresaw.
        """
        durable = {"synchronous_commit": self._settings.postgres.synchronous_commit}
        name = f"tongdai delivery {self._name}"
        async with new_pool(self._settings, name, CONNECTIONS_MAX, server_settings=durable) as pool:
            try:
                while True:
                    await self._look(pool)
                    await asyncio.sleep(POLL_S)
            finally:
                self._stopping.set()
                await self._finish()

    async def _finish(self) -> None:
        """What is cut off is found as lost, and given once more."""
        if not self._pages:
            return
        _, late = await asyncio.wait(self._pages.values(), timeout=self._settings.runtime.stop_deadline_s)
        for task in late:
            log.warning("outreach_cut_off", what=task.get_name(), effect="it will be found as lost")
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _look(self, pool: Pool) -> None:
        for page, task in list(self._pages.items()):
            if task.done():
                del self._pages[page]
                task.result()
        try:
            # Fresh, given and stored takes no longer: nobody will end an older attempt.
            lost_s = 2 * self._means.fresh_s + self._means.timeout_s
            lost = await rows.find_lost(pool, self._means.names, lost_s)
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
        """Send what is due for one page until nothing is. What takes long holds up its own ticket only."""
        under_way: set[asyncio.Task[None]] = set()
        try:
            while True:
                under_way |= await self._begin(pool, page, self._means.parallel_max - len(under_way))
                if not under_way:
                    return
                done, under_way = await asyncio.wait(
                    under_way, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    task.result()
        except asyncio.CancelledError:
            for task in under_way:
                task.cancel()
            raise
        finally:
            if under_way:
                await asyncio.wait(under_way)

    async def _begin(self, pool: Pool, page: str, room: int) -> set[asyncio.Task[None]]:
        """Begin up to `room` of what is due for a page."""
        if room <= 0 or self._stopping.is_set():
            return set()
        try:
            give = await self._means.open(pool, page)
            begun_s = time.monotonic()
            claimed = await rows.claim(pool, self._means.names, page, room)
        except PASSING_ERRORS as error:
            log.warning("outreach_waits_for_postgres", means=self._name, page=page, error=error)
            return set()
        return {asyncio.create_task(self._attempt(pool, one, give, begun_s)) for one in claimed}

    async def _attempt(self, pool: Pool, claimed: Claimed, give: Give | NotGiven, begun_s: float) -> None:
        if time.monotonic() - begun_s > self._means.fresh_s or self._stopping.is_set():
            await self._take_back(pool, claimed)
            return
        result = give if isinstance(give, NotGiven) else await give(claimed)
        spread = random.random()  # noqa: S311 - no secret
        limits = self._means.retry, self._means.attempts_max
        step = after(result, claimed.failures, claimed.unanswered, *limits, spread)
        metrics.ATTEMPTS.labels(claimed.means, step.state).inc()
        if not isinstance(result, Given):
            log.info(
                "outreach_not_taken",
                means=claimed.means,
                page=claimed.page,
                message=str(claimed.message),
                attempt=claimed.attempt,
                reason=step.reason,
                detail=result.detail,
                then=step.state,
            )
        await self._record(pool, claimed, step)

    async def _take_back(self, pool: Pool, claimed: Claimed) -> None:
        try:
            await rows.take_back(pool, claimed)
        except PASSING_ERRORS as error:
            log.warning("outreach_not_taken_back", message=str(claimed.message), error=error)

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
        log.error("outreach_attempt_lost", message=str(claimed.message), effect="it will be found as lost")
