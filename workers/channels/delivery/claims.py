"""Taking what may be sent for a page now, within its rate and its app's, to which all workers keep."""

from __future__ import annotations

from typing import NamedTuple

from config.delivery import DeliverySettings
from schemas.ids import channel_of
from workers.channels.delivery import message_rows, page_rows
from workers.channels.delivery.bucket import Bucket
from workers.channels.delivery.message_rows import Claimed
from workers.channels.delivery.page_rows import Page
from workers.channels.delivery.parts import parts_of
from workers.channels.delivery.senders import text_max
from workers.runtime.handler import Connection

UNLIMITED_PER_S = 100_000.0


class Taking(NamedTuple):
    """What was taken, and in how many seconds the rate allows more (none: the rate is not the reason)."""

    page: Page
    claimed: list[Claimed]
    wait_s: float | None


async def take(connection: Connection, page_id: str, room: int, settings: DeliverySettings) -> Taking | None:
    """Take up to `room` messages of the page; none when nothing may be sent for it now.

    A page with trouble is tried with one at a time.
    """
    async with connection.transaction():
        page = await page_rows.lock_page(connection, page_id, page_rate_per_s(page_id, settings))
        if page is None:
            return None
        app = None
        if page.app_key is not None:
            app = await page_rows.lock_app(connection, page.app_key, app_rate_per_s(page_id, settings))
            if app is None:
                return None
        limit = min(room, *(bucket.whole for bucket in (page.bucket, app) if bucket is not None))
        if limit == 0:
            return Taking(page, [], max(each.wait_s() for each in (page.bucket, app) if each is not None))
        one = page.paused is not None or page.failures > 0
        claimed = await message_rows.claim(connection, page_id, 1 if one else limit, page.failures)
        if claimed:
            await _count(connection, page, app, claimed)
        return Taking(page, claimed, None)


async def _count(connection: Connection, page: Page, app: Bucket | None, claimed: list[Claimed]) -> None:
    limit = text_max(channel_of(page.id))
    costs = [parts_of(each.content, limit)[len(each.standing.ids)].cost for each in claimed]
    left = None if app is None else app.take(len(claimed))
    await page_rows.count(connection, page, page.bucket.take(sum(costs)), left)


def page_rate_per_s(page_id: str, settings: DeliverySettings) -> float:
    """Calls a second that the page may make."""
    match channel_of(page_id):
        case "messenger":
            return settings.messenger_page_rate_per_s
        case "fchat":
            return settings.fchat_page_rate_per_s
    return UNLIMITED_PER_S


def app_rate_per_s(page_id: str, settings: DeliverySettings) -> float:
    """The same of all pages of its app together."""
    return settings.zalo_app_rate_per_s if channel_of(page_id) == "zalo" else UNLIMITED_PER_S
