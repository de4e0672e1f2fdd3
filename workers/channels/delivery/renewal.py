"""Keeps Zalo's tokens fresh: one exchange at a time for a page, whoever works, and stored before it is used.

The lease says who may ask; the version of the token is the fence. Only who stores the pair of the version
that he has exchanged counts, and since a refresh token is good for one use, there is only one.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import NamedTuple

from asyncpg import Pool

from config.delivery import DeliverySettings
from config.errors import ConfigurationError
from config.logging import get_logger
from config.runtime import SIDE_SPARE_S
from schemas.ids import channel_of
from workers.channels.delivery.failures import PASSING_ERRORS
from workers.channels.delivery.metrics import REFRESHED, RESUMED
from workers.channels.delivery.page_rows import NOTIFY, TELL_WAITING
from workers.channels.delivery.vault import Vault
from workers.channels.delivery.zalo_tokens import Again, Exchange, Pair, Spent, ZaloTokens
from workers.outside.back_off import back_off_s

SPENT_MAX = 3
"""So often a refresh token is tried that is not taken: the platform may be wrong for a moment."""
STORE_TRIES = 60

LEASE = """
UPDATE delivery_page SET refreshing_until = now() + $1::interval
WHERE page_id = (
    SELECT page_id FROM delivery_page
    WHERE refresh_at <= now() AND refresh_token IS NOT NULL
        AND (refreshing_until IS NULL OR refreshing_until < now())
    ORDER BY refresh_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING page_id, app, refresh_token, token_version, refresh_failures
"""
# Not only the lease's holder: who was frozen, and has the only pair that is good, may still store it.
STORE = """
UPDATE delivery_page SET access_token = $3, refresh_token = $4, token_version = token_version + 1,
    token_at = now(), token_ends_at = now() + $5::interval, refresh_at = now() + $6::interval,
    refreshing_until = NULL, refresh_failures = 0,
    resume_at = CASE WHEN paused IS NULL OR paused = 'token_broken' THEN now() ELSE resume_at END,
    paused = nullif(paused, 'token_broken'),
    paused_at = CASE WHEN paused <> 'token_broken' THEN paused_at END
WHERE page_id = $1 AND token_version = $2
RETURNING (SELECT paused FROM delivery_page WHERE page_id = $1) AS before
"""
LATER = """
UPDATE delivery_page SET refreshing_until = NULL, refresh_failures = refresh_failures + 1,
    refresh_at = now() + $3::interval
WHERE page_id = $1 AND token_version = $2
"""

log = get_logger(__name__)


class Lease(NamedTuple):
    """The right to exchange one page's refresh token, for a while."""

    page: str
    app: str | None
    refresh: bytes
    version: int
    failures: int


class Renewal:
    """Exchanges tokens that are due.

    Args:
        pool: connections to Postgres.
        tokens: asks Zalo.
        vault: encrypts them.
        settings: when they are due.
    """

    def __init__(self, pool: Pool, tokens: ZaloTokens, vault: Vault, settings: DeliverySettings) -> None:
        self._pool = pool
        self._tokens = tokens
        self._vault = vault
        self._settings = settings
        # Who stops has as long: a request takes less than giving up the lanes may.
        self._lease_s = settings.request_timeout_s + SIDE_SPARE_S
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin_due(self) -> None:
        """Begin one exchange that is due, if there is one."""
        lease = await self.lease()
        if lease is not None:
            task = asyncio.create_task(self.renew(lease), name=f"renewal of {lease.page}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Bring what is under way to its end, for as long as its lease: who stops would lose the pair."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=self._lease_s)
        for task in late:
            log.error("tokens_not_stored", what=task.get_name(), effect="the pair may be lost")
            task.cancel()

    async def lease(self) -> Lease | None:
        """Take the right to exchange a token that is due; it ends by itself when its worker dies."""
        row = await self._pool.fetchrow(LEASE, timedelta(seconds=self._lease_s))
        return None if row is None else Lease(*row)

    async def renew(self, lease: Lease) -> None:
        """Exchange it, and store what came."""
        try:
            refresh = self._vault.open(lease.refresh)
        except ConfigurationError as error:
            return await self.store(lease, Again(str(error)))
        return await self.store(lease, await self._tokens.exchange(lease.app, refresh))

    async def store(self, lease: Lease, exchange: Exchange) -> None:
        """Store it, however long Postgres is away: a pair that is not stored is lost for good."""
        for attempt in range(1, STORE_TRIES + 1):
            try:
                return await self._store(lease, exchange)
            except PASSING_ERRORS as error:
                log.warning("tokens_not_stored", page=lease.page, error=error, tried=attempt)
                await asyncio.sleep(min(attempt, 5))
        log.error("tokens_lost", page=lease.page, effect="somebody must sign the page in anew")
        return None

    async def _store(self, lease: Lease, exchange: Exchange) -> None:
        match exchange:
            case Pair():
                await self._store_pair(lease, exchange)
            case Again(why):
                await self._later(lease, back_off_s(lease.failures + 1, self._settings.retry, 1.0), why)
            case Spent(why) if lease.failures + 1 < SPENT_MAX:
                await self._later(lease, back_off_s(lease.failures + 1, self._settings.retry, 1.0), why)
            case Spent(why):
                await self._give_up(lease, why)

    async def _store_pair(self, lease: Lease, pair: Pair) -> None:
        row = await self._pool.fetchrow(
            STORE,
            lease.page,
            lease.version,
            self._vault.seal(pair.access),
            self._vault.seal(pair.refresh),
            timedelta(seconds=pair.life_s),
            timedelta(seconds=pair.life_s * self._settings.refresh_part),
        )
        if row is not None and row["before"] == "token_broken":
            await self._pool.execute(TELL_WAITING, lease.page, None)
            RESUMED.labels(channel_of(lease.page)).inc()
        await self._pool.execute(NOTIFY)
        REFRESHED.labels("renewed").inc()
        log.info("tokens_renewed", page=lease.page, stored=row is not None)

    async def _later(self, lease: Lease, seconds: float, why: str) -> None:
        await self._pool.execute(LATER, lease.page, lease.version, timedelta(seconds=seconds))
        REFRESHED.labels("again").inc()
        log.warning("tokens_not_renewed", page=lease.page, why=why, again_in_s=round(seconds, 1))

    async def _give_up(self, lease: Lease, why: str) -> None:
        """The access token stays in use for as long as it lasts; then the page is paused."""
        await self._pool.execute(LATER, lease.page, lease.version, None)
        REFRESHED.labels("lost").inc()
        log.error("tokens_lost", page=lease.page, why=why, effect="somebody must sign the page in anew")
