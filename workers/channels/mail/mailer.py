"""The mailer: gives what waits to the pages' mail servers, beside the delivery worker's lanes."""

from __future__ import annotations

import asyncio
import random
import time

from asyncpg import Pool

from config.errors import ConfigurationError
from config.logging import get_logger
from config.settings import Settings
from workers.channels.delivery.failures import PASSING_ERRORS
from workers.channels.delivery.vault import Vault
from workers.channels.mail import metrics, page_rows, rows
from workers.channels.mail.address import ReplyAddresses
from workers.channels.mail.letter import Letter, mime
from workers.channels.mail.page_rows import PageMail
from workers.channels.mail.rows import Claimed
from workers.channels.mail.smtp import NotGiven, Result, give
from workers.channels.mail.verdict import Step, after
from workers.runtime.postgres import new_pool

POLL_S = 0.5
CONNECTIONS_MAX = 4
RECORD_TRIES = 10

log = get_logger(__name__)


class Mailer:
    """Of one worker. Several may work at once: each mail is taken by one of them.

    Args:
        settings: of everything; with an address for replies.
        vault: opens the pages' logins.
    """

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self._settings = settings
        self._mail = settings.mail
        self._vault = vault
        self._addresses = ReplyAddresses(settings.mail)
        self._stopping = asyncio.Event()
        self._pages: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Work until cancelled; then bring to its end what is under way. Raises what nobody foresaw."""
        durable = {"synchronous_commit": self._settings.postgres.synchronous_commit}
        pool = new_pool(self._settings, "tongdai delivery mailer", CONNECTIONS_MAX, server_settings=durable)
        async with pool:
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
            metrics.LOST.inc(await rows.find_lost(pool, 3 * self._mail.request_timeout_s))
            due = await rows.due_pages(pool)
        except PASSING_ERRORS as error:
            log.warning("mailer_waits_for_postgres", error=repr(error))
            return
        for page in due:
            if page not in self._pages:
                self._pages[page] = asyncio.create_task(self._send_for(pool, page), name=f"mails of {page}")

    async def _send_for(self, pool: Pool, page: str) -> None:
        """Send what is due for one page until nothing is."""
        try:
            while not self._stopping.is_set():
                begun_s = time.monotonic()
                claimed = await rows.claim(pool, page, self._mail.page_parallel_max)
                if not claimed:
                    return
                found = await self._read_page(pool, page)
                await asyncio.gather(*(self._attempt(pool, one, found, begun_s) for one in claimed))
        except PASSING_ERRORS as error:
            log.warning("mailer_waits_for_postgres", page=page, error=repr(error))

    async def _read_page(self, pool: Pool, page: str) -> PageMail | NotGiven:
        try:
            found = await page_rows.read_page(pool, self._vault, page)
        except ConfigurationError as error:
            return NotGiven("mail_login", again=True, detail=str(error))
        return found or NotGiven("mail_not_set", again=False)

    async def _attempt(self, pool: Pool, claimed: Claimed, page: PageMail | NotGiven, begun_s: float) -> None:
        if time.monotonic() - begun_s > self._mail.request_timeout_s or self._stopping.is_set():
            await rows.take_back(pool, claimed)
            return
        result = page if isinstance(page, NotGiven) else await self._give(claimed, page)
        spread = random.random()  # noqa: S311 - no secret
        step = after(result, claimed.failures, self._mail, spread)
        metrics.ATTEMPTS.labels(step.state).inc()
        if isinstance(result, NotGiven):
            log.info(
                "mail_not_taken",
                page=claimed.page,
                message=str(claimed.message),
                attempt=claimed.attempt,
                reason=result.reason,
                detail=result.detail,
                then=step.state,
            )
        await self._record(pool, claimed, step)

    async def _give(self, claimed: Claimed, page: PageMail) -> Result:
        try:
            mail = mime(self._letter(claimed), page.sender, self._addresses)
        except ValueError as error:  # an address, or a header, that is none
            return NotGiven("mail_address", again=False, detail=type(error).__name__)
        to = claimed.content["to"]
        return await give(page.server, page.sender.address, to, mail, self._mail.request_timeout_s)

    def _letter(self, claimed: Claimed) -> Letter:
        former = [self._addresses.named(one) for one in reversed(claimed.former)]
        return Letter(
            claimed.message,
            claimed.ticket,
            claimed.token,
            written_at=claimed.written_at,
            former=former,
            **claimed.content,
        )

    async def _record(self, pool: Pool, claimed: Claimed, step: Step) -> None:
        """Store it, though Postgres may be away for a while: what the server has said is known only here."""
        for attempt in range(1, RECORD_TRIES + 1):
            try:
                await rows.go_on(pool, claimed, step)
            except PASSING_ERRORS as error:
                log.warning("mail_not_recorded", message=str(claimed.message), error=repr(error))
                await asyncio.sleep(min(attempt, 5) * random.uniform(0.5, 1))  # noqa: S311 - no secret
            else:
                return
        log.error("mail_attempt_lost", message=str(claimed.message), effect="it is given once more")
