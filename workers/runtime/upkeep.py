"""Upkeep: what tables need now and then though no record asks for it, beside the lanes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import structlog

from config.settings import Settings
from workers.runtime.failures import DependencyDownError
from workers.runtime.handler import Connection
from workers.runtime.metrics import UPKEEP, UPKEEP_FAILED
from workers.runtime.postgres import DATABASE_ERRORS, connected

log = structlog.get_logger(__name__)


class Chore(NamedTuple):
    """Something to be done again and again. Several workers may do it at once."""

    name: str
    interval_s: float
    do: Callable[[Connection], Awaitable[int]]
    """Does a small piece in statements that commit by themselves; how much there was to do."""


async def keep_up(chores: Sequence[Chore], settings: Settings) -> None:
    """Do each chore at once and then at its interval, for ever. What Postgres refuses is tried again then."""
    await asyncio.gather(*(_repeat(chore, settings) for chore in chores))


async def _repeat(chore: Chore, settings: Settings) -> None:
    while True:
        try:
            UPKEEP.labels(chore.name).inc(await _do(chore, settings))
        except (DependencyDownError, *DATABASE_ERRORS) as error:
            UPKEEP_FAILED.labels(chore.name).inc()
            log.warning("upkeep_failed", chore=chore.name, error=error, again_in_s=chore.interval_s)
        await asyncio.sleep(chore.interval_s)


async def _do(chore: Chore, settings: Settings) -> int:
    """On a connection of its own: it must not wait for a batch, nor a batch for it."""
    async with connected(settings, f"tongdai {chore.name}") as connection:
        done = await chore.do(connection)
    if done:
        log.info("upkeep_done", chore=chore.name, count=done)
    return done
