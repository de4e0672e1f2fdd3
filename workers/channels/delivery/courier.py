"""A courier: gives one page's messages to its channel until nothing is left that may go now."""

from __future__ import annotations

import asyncio
import random
import time
from typing import NamedTuple

from asyncpg import Pool

from config.errors import ConfigurationError
from config.logging import get_logger
from config.section import is_sendable
from config.settings import Settings
from schemas.ids import agent_of, channel_of, conversation_id, parts_of_key
from schemas.receipts import DeliveryReason
from workers.channels.delivery import message_rows, page_rows
from workers.channels.delivery.claims import Taking, take
from workers.channels.delivery.enclosing import Enclosing
from workers.channels.delivery.failures import PASSING_ERRORS
from workers.channels.delivery.lost import fresh_s
from workers.channels.delivery.message_rows import Claimed
from workers.channels.delivery.metrics import ATTEMPTS, CALL_SECONDS, FAILED, PAUSED, RESUMED
from workers.channels.delivery.page_rows import Page
from workers.channels.delivery.parts import Part, is_too_long, parts_of
from workers.channels.delivery.progress import Calm, Expired, PageStep, Paused, Step, Troubled, after
from workers.channels.delivery.result import Failed, NotBegun, Result, Taken, Unanswered
from workers.channels.delivery.sender import Call, Enclosed, Sender
from workers.channels.delivery.senders import Senders
from workers.channels.delivery.vault import Vault
from workers.channels.delivery.window import DAY_S, Terms, terms

RECORD_TRIES = 10
RATE_WAIT_S = 0.05
MORE_S = 0.5
"""While calls are under way, what else has come is looked for so often: one may take long."""
CONNECTION_WAIT_S = 1.0
"""Until a connection may be free."""

log = get_logger(__name__)


class Means(NamedTuple):
    """What all couriers of a worker share."""

    settings: Settings
    pool: Pool
    senders: Senders
    vault: Vault
    enclosing: Enclosing


class Courier:
    """Works for one page.

    Args:
        means: connections, senders, keys.
        page_id: whose messages.
        stopping: no more are begun once it is set.
    """

    def __init__(self, means: Means, page_id: str, stopping: asyncio.Event) -> None:
        self._means = means
        self._page_id = page_id
        self._stopping = stopping
        self._channel = channel_of(page_id)
        self._parallel_max = means.settings.delivery.page_parallel_max

    async def run(self) -> None:
        """Return when nothing may go now. What is under way is always brought to its end."""
        under_way: set[asyncio.Task[None]] = set()
        careful = False
        try:
            while True:
                room = 0 if careful and under_way else self._parallel_max - len(under_way)
                begun_s, taking = await self._take(room)
                if taking is not None:
                    careful = taking.page.failures > 0 or taking.page.paused is not None
                    under_way |= {
                        asyncio.create_task(self._deliver(taking.page, each, begun_s))
                        for each in taking.claimed
                    }
                if not under_way:
                    if taking is None or taking.wait_s is None:
                        return
                    await asyncio.sleep(max(taking.wait_s, RATE_WAIT_S))
                    continue
                done, under_way = await asyncio.wait(
                    under_way, timeout=MORE_S, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    task.result()
        finally:
            if under_way:
                await asyncio.wait(under_way)

    async def _take(self, room: int) -> tuple[float, Taking | None]:
        """What was taken, and since when: from before it was, as its answer may have been long on its way."""
        if room <= 0 or self._stopping.is_set():
            return time.monotonic(), None
        async with self._means.pool.acquire() as connection:
            begun_s = time.monotonic()
            return begun_s, await take(connection, self._page_id, room, self._means.settings.delivery)

    async def _deliver(self, page: Page, claimed: Claimed, begun_s: float) -> None:
        """Give the next part to the channel. What nobody foresaw costs this message and no other."""
        try:
            await self._attempt(page, claimed, begun_s)
        except PASSING_ERRORS as error:
            log.warning("attempt_lost", message=str(claimed.message), error=error)
        except Exception:
            log.exception("attempt_lost", message=str(claimed.message), effect="it will be unknown")

    async def _attempt(self, page: Page, claimed: Claimed, begun_s: float) -> None:
        """Give the next part to the channel, and store what became of it."""
        sender = self._means.senders[self._channel]
        now = self._terms(page, claimed)
        part = parts_of(claimed.content, sender.text_max)[len(claimed.standing.ids)]
        enclosed = None
        if part.attachment is not None and now.reason is None:
            enclosed = await self._means.enclosing.find(claimed.workspace, conversation_id(claimed.key), part)
        reason = now.reason or _refusal(page, claimed, part, sender, enclosed)
        if reason is not None:
            step = Step("failed", claimed.standing.ids, reason)
            await self._record(page, claimed, step, None)
            return
        if time.monotonic() - begun_s > fresh_s(self._means.settings.delivery) or self._stopping.is_set():
            await self._take_back(claimed, 0.0)
            return
        result = await self._give(page, claimed, part, sender, now, enclosed)
        if isinstance(result, NotBegun):
            await self._take_back(claimed, CONNECTION_WAIT_S)
            return
        log.debug("given", page=page.id, message=str(claimed.message), part=part.number, became=_word(result))
        spread = random.random()  # noqa: S311 - no secret
        step, page_step = after(result, claimed.standing, self._means.settings.delivery, spread)
        if isinstance(result, Failed | Unanswered):
            log.info(
                "not_taken",
                page=page.id,
                message=str(claimed.message),
                attempt=claimed.attempt,
                became=_word(result),
                detail=result.detail if isinstance(result, Failed) else result.why,
            )
        await self._record(page, claimed, step, page_step)

    def _terms(self, page: Page, claimed: Claimed) -> Terms:
        return terms(
            self._channel,
            claimed.silent_s,
            by_person=agent_of(claimed.sender) is not None,
            human_agent=page.human_agent,
            pays=page.pays,
            by_ad=claimed.since_ad_s is not None
            and claimed.since_ad_s <= self._means.settings.delivery.messenger_ad_days * DAY_S,
        )

    async def _give(
        self, page: Page, claimed: Claimed, part: Part, sender: Sender, now: Terms, enclosed: Enclosed | None
    ) -> Result:
        if page.access_token is None:
            return Failed("stop", "not_connected", "no token is stored for the page")
        try:
            token = self._means.vault.open(page.access_token)
        except ConfigurationError as error:
            return Failed("stop", "token_broken", str(error))
        if not is_sendable(token):
            return Failed("stop", "token_broken", "it has characters that no token has")
        _, account, user = parts_of_key(claimed.key)
        call = Call(
            account,
            token,
            page.app,
            user,
            claimed.message,
            part,
            claimed.content.get("reply_to") if part.number == 0 else None,
            now.tag,
            enclosed,
        )
        with CALL_SECONDS.labels(self._channel).time():
            result = await sender.send(call)
        ATTEMPTS.labels(self._channel, _word(result)).inc()
        return result

    async def _record(self, page: Page, claimed: Claimed, step: Step, page_step: PageStep | None) -> None:
        """Store it, though Postgres may be away for a while: what the channel has said is known only here."""
        for attempt in range(1, RECORD_TRIES + 1):
            try:
                async with self._means.pool.acquire() as connection, connection.transaction():
                    if await message_rows.go_on(connection, claimed, step) and step.state == "failed":
                        FAILED.labels(self._channel, step.reason).inc()
                    await self._follow(connection, page, claimed, page_step)
            except PASSING_ERRORS as error:
                log.warning("not_recorded", message=str(claimed.message), error=error, tried=attempt)
                await asyncio.sleep(min(attempt, 5) * random.uniform(0.5, 1))  # noqa: S311 - no secret
            else:
                return
        log.error("attempt_lost", message=str(claimed.message), effect="it will be unknown")

    async def _follow(self, connection: object, page: Page, claimed: Claimed, step: PageStep | None) -> None:
        """What it means for the page; none: nothing was given to the channel."""
        match step:
            case Calm():
                if page.failures or page.paused:
                    await self._calm(connection, page, claimed)
            case Troubled(seconds, of_app):
                await page_rows.trouble(connection, page, seconds, of_app=of_app)
            case None if page.paused is not None:
                await page_rows.untried(connection, page)
            case Expired() if page.renewable:
                await page_rows.expire(connection, page)
            case Expired():
                again_s = self._means.settings.delivery.pause_retry_s
                await self._pause(connection, page, claimed, Paused("token_broken", again_s))
            case Paused():
                await self._pause(connection, page, claimed, step)

    async def _calm(self, connection: object, page: Page, claimed: Claimed) -> None:
        if await page_rows.calm(connection, page.id, claimed.message) is not None:
            RESUMED.labels(self._channel).inc()
            log.info("page_resumed", page=page.id)

    async def _pause(self, connection: object, page: Page, claimed: Claimed, step: Paused) -> None:
        reason, seconds = step
        if await page_rows.pause(connection, page, reason, seconds, claimed.message):
            PAUSED.labels(self._channel, reason).inc()
            log.error(
                "page_paused",
                page=page.id,
                workspace=page.workspace,
                reason=reason,
                again_in_s=seconds,
                effect="nothing is sent for this page until it is mended",
            )

    async def _take_back(self, claimed: Claimed, due_s: float) -> None:
        async with self._means.pool.acquire() as connection:
            await message_rows.take_back(connection, claimed, due_s)


def _refusal(
    page: Page, claimed: Claimed, part: Part, sender: Sender, enclosed: Enclosed | None
) -> DeliveryReason | None:
    """Why the message cannot be given to this channel at all."""
    if page.too_long == "refuse" and is_too_long(claimed.content, sender.text_max):
        return "too_long"
    if part.attachment is None:
        return None
    if enclosed is None:
        return "attachment_gone"
    return sender.refusal(enclosed)


def _word(result: Result) -> str:
    match result:
        case Taken():
            return "taken"
        case Unanswered():
            return "unanswered"
        case NotBegun():
            return "not_begun"
    return result.means
