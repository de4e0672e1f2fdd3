"""The worker of webhooks: it leases its share of the endpoints and tells them, beside other workers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from uuid import UUID, uuid4

import asyncpg
from aiokafka.errors import KafkaError

from config.logging import get_logger
from config.settings import Settings
from workers.runtime.failures import SideTaskEndedError
from workers.runtime.postgres import DATABASE_ERRORS, new_pool
from workers.runtime.status import Status
from workers.webhooks import metrics
from workers.webhooks.catch_up import CatchUp
from workers.webhooks.feed import Feed
from workers.webhooks.leases import Leased, Leases, Name
from workers.webhooks.pauses import first
from workers.webhooks.post import Lease
from workers.webhooks.selection import topics_of
from workers.webhooks.sender import open_sender
from workers.webhooks.signing import Keys
from workers.webhooks.store import LeaseLostError, Store
from workers.webhooks.work import Tools, Work

KIND = "webhooks"
BEAT_S = 1.0
CONNECTIONS_MAX = 8
STOP_MARGIN_S = 3.0

_log = get_logger(__name__)


@dataclass(slots=True)
class Held:
    """An endpoint that this worker leases."""

    leased: Leased
    lease: Lease
    task: asyncio.Task[None] | None = None
    work: Work | None = None
    is_lost: bool = False

    def lose(self) -> None:
        """End at once: it is not ours any more. Once, for who is ending still has to let go."""
        if self.task is not None and not self.is_lost:
            self.task.cancel()
        self.is_lost = True


class Worker:
    """One process's part of the endpoints."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._settings = settings
        self._own = settings.webhooks
        self._keys = keys
        self._id: UUID = uuid4()
        self._held: dict[Name, Held] = {}
        self.status = Status(KIND, waiting_for="Kafka")

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set; then finish what is under way, and let go. Raises on a bug only."""
        feed, catch_up = Feed(self._settings), CatchUp(self._settings)
        async with pool_of(self._settings) as pool, open_sender(self._own) as sender:
            leases = Leases(pool, self._id, self._own.lease_s)
            tools = Tools(self._own, feed, catch_up, sender, self._keys, Store(pool, self._id), leases.clock)
            async with asyncio.TaskGroup() as beside:
                readers = [
                    beside.create_task(feed.run(), name="the feed of webhooks"),
                    beside.create_task(catch_up.run(), name="webhooks' catching up"),
                ]
                while not (feed.started.is_set() or stopping.is_set()):
                    _check(readers)
                    await first(feed.started, stopping, timeout_s=BEAT_S)
                while not stopping.is_set():
                    _check(readers)
                    await self._beat(leases, tools)
                    await first(stopping, timeout_s=min(BEAT_S, self._own.lease_s / 5))
                await self._finish(leases)
                for reader in readers:
                    reader.cancel()

    async def _beat(self, leases: Leases, tools: Tools) -> None:
        """Keep what is ours, give up what is not, take what nobody has."""
        now_s = monotonic()
        try:
            kept = await leases.renew([(name, held.leased.term) for name, held in self._held.items()])
            for name, held in self._held.items():
                if name in kept:
                    held.lease.until_s = now_s + self._own.lease_s
                    if kept[name] and held.work is not None:
                        held.work.test()
                else:
                    held.lose()
            await self._level(leases, tools, now_s)
            waiting_for = None if tools.feed.is_reading else "Kafka"
        except DATABASE_ERRORS as error:
            _log.warning("webhooks_wait", error=error)
            waiting_for = "Postgres"
        self._tell(waiting_for)

    async def _level(self, leases: Leases, tools: Tools, now_s: float) -> None:
        """Have the share of a living worker, no more."""
        share = min(await leases.share(), self._own.endpoints_max)
        for held in list(self._held.values())[share:]:
            if held.work is not None:
                held.work.end()
        if len(self._held) >= share:
            return
        for leased in await leases.claim(share - len(self._held)):
            held = Held(leased, Lease(now_s + self._own.lease_s))
            self._held[leased.name] = held
            held.task = asyncio.create_task(
                self._tell_one(held, leases, tools), name=f"webhook {leased.name}"
            )

    async def _tell_one(self, held: Held, leases: Leases, tools: Tools) -> None:
        """Tell one endpoint for as long as it is ours, whatever happens; then let go of it."""
        name, why = held.leased.name, "lost"
        try:
            held.work = await self._begin(held, tools)
            await held.work.run()
            why = held.work.ended_why
        except* LeaseLostError:
            pass
        except* (KafkaError, *DATABASE_ERRORS) as errors:
            _log.warning("webhook_interrupted", endpoint=name, error=errors.exceptions[0])
        except* Exception as errors:  # noqa: BLE001 - a bug in one must not stop the others
            why = "failed"
            _log.exception("webhook_failed", endpoint=name, exc_info=errors)
        finally:
            metrics.ENDED.labels(why).inc()
            await self._let_go(name, leases)

    async def _begin(self, held: Held, tools: Tools) -> Work:
        leased = held.leased
        stored = await tools.store.positions(leased.name)
        places = await tools.catch_up.find(leased.start, stored, topics_of(sorted(leased.events)))
        return Work(leased, held.lease, places, await tools.store.stuck(leased.name), tools)

    async def _let_go(self, name: Name, leases: Leases) -> None:
        try:
            await leases.let_go([name])
        except DATABASE_ERRORS as error:
            _log.warning("webhook_not_let_go", endpoint=name, error=error)  # the lease runs out by itself
        finally:
            del self._held[name]

    async def _finish(self, leases: Leases) -> None:
        """Let what is under way end, as far as there is time: what is cut off is sent again by others."""
        tasks = [held.task for held in self._held.values() if held.task is not None]
        for held in self._held.values():
            if held.work is not None:
                held.work.end()
            else:
                held.lose()
        if tasks:
            await asyncio.wait(tasks, timeout=self._settings.runtime.stop_deadline_s - STOP_MARGIN_S)
        for held in list(self._held.values()):
            held.lose()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await leases.leave()
        except DATABASE_ERRORS as error:
            _log.warning("webhooks_not_left", error=error)

    def _tell(self, waiting_for: str | None) -> None:
        """What health checks, the watchdog and metrics see."""
        status, works = self.status, [held.work for held in self._held.values() if held.work is not None]
        status.joined = True
        status.beat_at = monotonic()
        if waiting_for is None:
            status.go_on(monotonic())
        status.waiting_for = waiting_for
        metrics.HELD.set(len(self._held))
        metrics.FAILING.set(sum(work.is_failing for work in works))
        metrics.WAITING.set(sum(work.size for work in works))


def _check(readers: Sequence[asyncio.Task[None]]) -> None:
    """Raise SideTaskEndedError when one has ended: aiokafka is known to cancel its callers."""
    for reader in readers:
        if reader.done():
            raise SideTaskEndedError(f"{reader.get_name()} has ended by itself")


def pool_of(settings: Settings) -> asyncpg.Pool:
    """Who freezes while it stores holds the endpoint's row: it loses that when it loses the lease."""
    ours = {
        "synchronous_commit": settings.postgres.synchronous_commit,
        "idle_in_transaction_session_timeout": f"{settings.webhooks.lease_s * 1000:.0f}ms",
    }
    return new_pool(settings, "tongdai webhooks", CONNECTIONS_MAX, server_settings=ours)
