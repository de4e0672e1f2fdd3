"""What an endpoint's work leaves in Postgres: how it stands, after each change or many of them at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from config.logging import get_logger
from workers.runtime.postgres import DATABASE_ERRORS
from workers.webhooks.endpoint import ATTEMPTS_KEPT, Attempt
from workers.webhooks.leases import Leased
from workers.webhooks.pauses import first
from workers.webhooks.store import Standing, Store
from workers.webhooks.track import Track
from workers.webhooks.verdict import Answer

GATHER_S = 0.05
"""What was delivered in so short a time is stored together; after a crash it is delivered once more."""
UNSTORED_MAX = ATTEMPTS_KEPT
IDLE_STORE_S = 10.0
RETRY_STORE_S = 1.0

_log = get_logger(__name__)


class Journal:
    """Notes attempts, and stores them with how the endpoint stands.

    Args:
        leased: the endpoint.
        store: where to.
        standing: how it stands now, without attempts.
    """

    def __init__(self, leased: Leased, store: Store, standing: Callable[[], Standing]) -> None:
        self._leased = leased
        self._store = store
        self._standing = standing
        self._attempts: deque[Attempt] = deque(maxlen=ATTEMPTS_KEPT)
        self._is_tested = False
        self._changed = asyncio.Event()
        self._changed.set()
        self._unstored = 0
        self._stored = asyncio.Event()

    def changed(self) -> None:
        """It stands in another way: to be stored soon."""
        self._changed.set()

    def note(self, answer: Answer, id_: str, type_: str, track: Track | None) -> None:
        """Remember an attempt to tell what stands first in `track`; none: a test."""
        self._is_tested = self._is_tested or track is None
        self._attempts.append(
            Attempt(
                at=datetime.now(UTC),
                event=id_,
                type=type_,
                topic=track.place.topic if track else None,
                partition=track.place.partition if track else None,
                offset=track.position if track else None,
                status=answer.status,
                error=answer.error,
                took_ms=answer.took_ms,
            )
        )
        self._unstored += 1
        self._changed.set()

    async def room(self, ended: asyncio.Event) -> None:
        """Wait until few attempts are not stored yet, or it has ended: after a crash no more come again."""
        while self._unstored >= UNSTORED_MAX and not ended.is_set():
            self._stored.clear()
            await first(self._stored, ended)

    async def keep(self) -> None:
        """Store each change, and now and then how far it came without any. Raises LeaseLostError."""
        stored = None
        while True:
            try:
                async with asyncio.timeout(IDLE_STORE_S):
                    await self._changed.wait()
                await asyncio.sleep(GATHER_S)
            except TimeoutError:
                if self._standing() == stored:
                    continue
            self._changed.clear()
            try:
                stored = await self._write()
            except DATABASE_ERRORS as error:
                _log.warning("webhook_store_waits", endpoint=self._leased.name, error=error)
                self._changed.set()
                await asyncio.sleep(RETRY_STORE_S)

    async def close(self) -> None:
        """Store how it stands at the end. Raises LeaseLostError, and what Postgres raises."""
        await self._write()

    async def _write(self) -> Standing:
        """Store how it stands, and return that; attempts that could not be stored are kept."""
        standing = self._standing()
        attempts, is_tested = tuple(self._attempts), self._is_tested
        self._attempts.clear()
        self._is_tested = False
        try:
            await self._store.write(self._leased, standing._replace(attempts=attempts, is_tested=is_tested))
        except BaseException:
            self._attempts = deque((*attempts, *self._attempts), maxlen=ATTEMPTS_KEPT)
            self._is_tested = self._is_tested or is_tested
            raise
        self._unstored -= len(attempts)
        self._stored.set()
        return standing
