"""Runs one errand: one call, what it found onto inbound, and how far it has come.

What is found is confirmed by Kafka before the errand goes on. So a worker that is killed reads it once more,
and intake knows the messages that it has.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Literal, NamedTuple

from asyncpg import Pool

from config.errors import ConfigurationError
from config.logging import get_logger
from config.settings import Settings
from schemas.ids import account_of, channel_of
from schemas.inbound import InboundRecord
from workers.channels.delivery.metrics import READ
from workers.channels.delivery.result import Failed
from workers.channels.delivery.vault import Vault
from workers.channels.publisher import Publisher, UnpublishedError
from workers.channels.reading import errand_rows
from workers.channels.reading.errand_rows import Errand
from workers.channels.reading.fetches import EVERYBODY
from workers.channels.reading.place import Place
from workers.channels.reading.reader import Access, Found
from workers.channels.reading.readers import Readers
from workers.channels.records import Webhook, outgoing
from workers.outside.back_off import back_off_s
from workers.runtime.handler import Connection
from workers.runtime.postgres import DATABASE_ERRORS

DAY_MS = 24 * 60 * 60 * 1000
UNPUBLISHED_S = 2.0
"""What Kafka has not confirmed is read again after so long."""

log = get_logger(__name__)


class Means(NamedTuple):
    """What all errands of a worker share."""

    settings: Settings
    pool: Pool
    readers: Readers
    vault: Vault
    publisher: Publisher


async def run(means: Means, errand: Errand) -> None:
    """Make the errand's next call, and what follows from it. Raises what nobody foresaw."""
    try:
        result = await _read(means, errand)
        READ.labels(channel_of(errand.page), errand.what, _word(result)).inc()
        published = not isinstance(result, Found) or await _publish(means, errand, result.records)
        async with means.pool.acquire() as connection:
            if not published:
                await errand_rows.later(connection, errand, UNPUBLISHED_S)
            elif isinstance(result, Found):
                place = result.place if errand.what == "history" else None
                await errand_rows.go_on(connection, errand, place, len(result.records))
            else:
                await _fail(connection, errand, result, means.settings)
    except DATABASE_ERRORS as error:
        log.warning("errand_lost", page=errand.page, error=error, effect="it is run again")


async def _read(means: Means, errand: Errand) -> Found | Failed:
    try:
        token = means.vault.open(errand.access_token)
    except ConfigurationError as error:
        return Failed("again", "token_broken", str(error))
    access = Access(account_of(errand.page), token, errand.app)
    reader = means.readers[channel_of(errand.page)]
    if errand.what == "history":
        return await reader.history(access, errand.place or _begin(errand, means.settings))
    found = await reader.profile(access, errand.user)
    return found if isinstance(found, Failed) else Found((found,), _begin(errand, means.settings))


def _begin(errand: Errand, settings: Settings) -> Place:
    """Where reading begins: how far back counts from when it was asked for."""
    asked_ms = round(errand.asked_at.timestamp() * 1000)
    since_ms = max(0, asked_ms - round(settings.delivery.history_days * DAY_MS))
    return Place(since_ms, asked_ms - round(settings.delivery.history_age_s * 1000), errand.user)


async def _publish(means: Means, errand: Errand, found: Sequence[InboundRecord]) -> bool:
    """Whether Kafka has all of it; some may be there and some not."""
    source = Webhook(channel_of(errand.page), b"", time.time_ns() // 1_000_000, "delivery")
    try:
        await means.publisher.publish([outgoing(source, each) for each in found])
    except UnpublishedError as error:
        log.warning("errand_not_published", page=errand.page, error=error)
        return False
    return True


def next_step(errand: Errand, failed: Failed, attempts_max: int) -> Literal["again", "leave_out", "end"]:
    """What follows from a failure: where it helps it is tried again; a channel that refuses is asked no more.

    Of everybody's conversations one that cannot be had is left out, so that it does not end all the others.
    Pure.
    """
    is_over = failed.means in {"refused", "stop"} or errand.failures + 1 >= attempts_max
    is_one_of_all = errand.user == EVERYBODY and errand.place is not None and bool(errand.place.threads)
    if not is_over or (is_one_of_all and failed.means == "slow_down"):
        return "again"
    return "leave_out" if is_one_of_all and failed.means in {"refused", "again"} else "end"


async def _fail(connection: Connection, errand: Errand, failed: Failed, settings: Settings) -> None:
    delivery = settings.delivery
    step = next_step(errand, failed, delivery.attempts_max)
    again_s = back_off_s(errand.failures + 1, delivery.retry, random.random())  # noqa: S311 - no secret
    again_s = max(again_s, failed.retry_after_s or 0.0)
    log.info(
        "not_read", page=errand.page, what=errand.what, means=failed.means, step=step, detail=failed.detail
    )
    if failed.means == "slow_down":
        await errand_rows.slow_down(connection, errand, again_s)
    if failed.means == "token" and errand.renewable:
        await errand_rows.expire(connection, errand)
    if step == "leave_out" and errand.place is not None:
        await errand_rows.go_on(connection, errand, errand.place.turned(0, None), 0, left_out=1)
    else:
        await errand_rows.fail(connection, errand, failed.reason, None if step == "end" else again_s)


def _word(result: Found | Failed) -> str:
    return result.means if isinstance(result, Failed) else "found"
