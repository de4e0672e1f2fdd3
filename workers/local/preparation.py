"""Brings servers to where workers can run: the database's migrations, the topics."""

from __future__ import annotations

import asyncio

from config.errors import TongdaiError
from config.settings import Settings
from config.topics_apply import apply_topics
from workers.migrations import migrate
from workers.runtime.dependencies import lacking


async def prepare(settings: Settings) -> None:
    """Migrate the database and create the topics that are missing, side by side.

    Raises DependencyError when a server does not answer, TongdaiError when topics are not as workers need
    them.
    """
    for result in await asyncio.gather(_migrated(settings), _topics(settings), return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


async def _migrated(settings: Settings) -> None:
    if await lacking(settings, "tongdai up"):
        await asyncio.to_thread(migrate, settings.postgres.dsn.get_secret_value())


async def _topics(settings: Settings) -> None:
    report = await apply_topics(settings)
    if not report.usable:
        wrong = "; ".join(str(each) for each in report.differences if each.stops_workers)
        raise TongdaiError(f"Workers cannot run on these topics: {wrong}. See tongdai topics apply.")
