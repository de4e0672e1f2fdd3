"""The fetcher: beside the couriers of a delivery worker, it brings customers' files here."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from contextlib import aclosing

from asyncpg import Pool

from config.logging import get_logger
from config.settings import Settings
from workers.channels.fetching.download import Downloads, open_downloads
from workers.channels.fetching.metrics import FETCHED
from workers.channels.fetching.progress import NotFetchedError, after
from workers.files import rows
from workers.files.files import Files
from workers.files.refusal import FileRefusedError
from workers.files.rows import Wanted
from workers.files.spool import spooled
from workers.files.storage import StorageDownError
from workers.runtime.postgres import DATABASE_ERRORS, new_pool

POLL_S = 1.0
LEASE_SPARE_S = 60.0
"""For examining and storing what was fetched."""
CUT_OFF_S = 10.0
"""So long before its lease ends it is given up: bytes that come later might outlive their row."""
TIDY_EVERY_S = 300.0
ERASE_EVERY_S = 5.0
TIDY_MAX = 500
TIDY_SPARE_S = 3_600.0
"""Behind the end of an unused file's time: a message that names it may be on its way."""
CONNECTIONS_MAX = 2

_log = get_logger(__name__)


class Fetcher:
    """Of one worker. Several may work at once: each file is fetched by one of them.

    Args:
        settings: of everything.
        files: where the files are kept.
    """

    def __init__(self, settings: Settings, files: Files) -> None:
        self._settings = settings
        self._own = settings.attachments
        self._files = files
        self._tidied_s = self._erased_s = 0.0
        self._lease_s = self._own.fetch_timeout_s + LEASE_SPARE_S

    async def run(self) -> None:
        """Work until cancelled: what is being fetched then is fetched anew by another worker."""
        pool = await new_pool(self._settings, "tongdai delivery files", CONNECTIONS_MAX)
        under_way: set[asyncio.Task[None]] = set()
        async with open_downloads(self._own) as downloads:
            try:
                while True:
                    under_way |= await self._begin(pool, downloads, self._own.parallel_max - len(under_way))
                    under_way = await _wait(under_way)
            finally:
                for task in under_way:
                    task.cancel()
                await asyncio.gather(*under_way, return_exceptions=True)
                pool.terminate()

    async def _begin(self, pool: Pool, downloads: Downloads, room: int) -> set[asyncio.Task[None]]:
        """Begin to fetch what is due."""
        try:
            await self._tidy(pool)
            wanted = await rows.claim(pool, room, self._lease_s) if room else []
        except DATABASE_ERRORS as error:
            _log.warning("files_wait_for_postgres", error=error)
            return set()
        return {asyncio.create_task(self._fetch(pool, downloads, one)) for one in wanted}

    async def _fetch(self, pool: Pool, downloads: Downloads, wanted: Wanted) -> None:
        """Fetch one file and keep it, or note why not. Raises what Postgres raises."""
        try:
            known = await self._known(downloads, wanted)
        except (NotFetchedError, FileRefusedError) as error:
            spread = random.random()  # noqa: S311 - no secret
            failures = wanted.failures + 1
            step = after(error, failures, self._own, spread)
            FETCHED.labels(step.reason if step.wait_s is None else "again").inc()
            _log.info("file_not_fetched", file=wanted.id, failures=failures, reason=step.reason)
            if step.wait_s is None:
                await rows.failed(pool, wanted, step.reason)
            else:
                await rows.later(pool, wanted, step.wait_s, step.reason)
        except (StorageDownError, OSError) as error:
            # Not its channel's fault: it costs no more than the time until its lease ends.
            _log.warning("file_not_kept", file=wanted.id, error=error)
        else:
            file = await rows.stored(pool, wanted.workspace, wanted.id, known, wanted.attempt)
            if file is None and await rows.is_erased(pool, wanted.workspace, wanted.id):
                with contextlib.suppress(StorageDownError):  # whoever takes away the row does it, too
                    await self._files.remove(wanted.workspace, wanted.id)
            FETCHED.labels("stored").inc()

    async def _known(self, downloads: Downloads, wanted: Wanted) -> rows.Known:
        """Raises NotFetchedError, FileRefusedError, StorageDownError, TimeoutError."""
        own = self._own
        async with (
            asyncio.timeout(self._lease_s - CUT_OFF_S),
            aclosing(downloads.chunks(wanted.url)) as chunks,
            spooled(chunks, own.file_bytes_max, own.fetch_timeout_s) as here,
        ):
            return await self._files.keep(wanted.workspace, wanted.id, here, wanted.name)

    async def _tidy(self, pool: Pool) -> None:
        """Forget files that nothing has named for long, and those of erased customers.

        Raises what Postgres raises.
        """
        now_s = time.monotonic()
        if now_s - self._erased_s >= ERASE_EVERY_S:
            self._erased_s = now_s
            await self._forget(pool, await rows.erased(pool, TIDY_MAX))
        if now_s - self._tidied_s >= TIDY_EVERY_S:
            self._tidied_s = now_s
            await self._forget(
                pool, await rows.unused(pool, self._own.unused_keep_s + TIDY_SPARE_S, TIDY_MAX)
            )

    async def _forget(self, pool: Pool, files: Sequence[tuple[str, str]]) -> None:
        """Their bytes first: who is killed between finds the row again."""
        for workspace, id_ in files:
            with contextlib.suppress(StorageDownError):
                await self._files.remove(workspace, id_)
                await rows.forget(pool, workspace, id_)


async def _wait(under_way: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Wait until one is done or it is time to look again; those that go on. Raises what nobody foresaw."""
    if not under_way:
        await asyncio.sleep(POLL_S)
        return under_way
    done, going_on = await asyncio.wait(under_way, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        error = task.exception()
        if isinstance(error, DATABASE_ERRORS):
            _log.warning("files_wait_for_postgres", error=error)
        elif error is not None:
            raise error
    return going_on
