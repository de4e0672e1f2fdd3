"""Brings servers to where workers can run: the database's migrations, the topics."""

from __future__ import annotations

import asyncio

import asyncpg

from config.errors import DependencyError, TongdaiError
from config.settings import Settings
from config.topics_apply import apply_topics
from workers.migrations import lacking_migrations, migrate


async def prepare(settings: Settings) -> None:
    """Migrate the database and create the topics that are missing, side by side.

    Raises DependencyError when a server does not answer, TongdaiError when topics are not as workers need
    them.
    """
    for result in await asyncio.gather(_migrated(settings), _topics(settings), return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


async def _migrated(settings: Settings) -> None:
    postgres = settings.postgres
    try:
        connection = await asyncpg.connect(
            postgres.dsn.get_secret_value(),
            timeout=postgres.connect_timeout_s,
            command_timeout=postgres.command_timeout_s,
        )
        try:
            lacking = await lacking_migrations(connection)
        finally:
            await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise DependencyError(f"Postgres at {postgres.masked_dsn} does not answer: {error}") from error
    if lacking:
        await asyncio.to_thread(migrate, postgres.dsn.get_secret_value())


async def _topics(settings: Settings) -> None:
    report = await apply_topics(settings)
    if not report.usable:
        wrong = "; ".join(str(each) for each in report.differences if each.stops_workers)
        raise TongdaiError(f"Workers cannot run on these topics: {wrong}. See tongdai topics apply.")
