"""Brings servers to where workers can run: the database's migrations, the topics."""

from __future__ import annotations

import asyncio

from sqlalchemy.exc import OperationalError

from config.errors import DependencyError, TongdaiError
from config.settings import Settings
from config.topics_apply import apply_topics
from workers.migrations import migrate


async def prepare(settings: Settings) -> None:
    """Migrate the database and create the topics that are missing, side by side.

    Raises DependencyError when a server does not answer, TongdaiError when topics are not as workers need
    them.
    """
    await asyncio.gather(_migrated(settings), _topics(settings))


async def _migrated(settings: Settings) -> None:
    try:
        await asyncio.to_thread(migrate, settings.postgres.dsn.get_secret_value())
    except OperationalError as error:
        raise DependencyError(
            f"Postgres at {settings.postgres.masked_dsn} does not answer: {error.orig}"
        ) from error


async def _topics(settings: Settings) -> None:
    report = await apply_topics(settings)
    if not report.usable:
        wrong = "; ".join(str(each) for each in report.differences if each.stops_workers)
        raise TongdaiError(f"Workers cannot run on these topics: {wrong}. See tongdai topics apply.")
