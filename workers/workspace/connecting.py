"""Connects commands that read and reserve to Postgres."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from config.errors import DependencyError
from config.settings import Settings
from workers.runtime.handler import Connection


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Connection]:
    """A connection of a command. Raises DependencyError when Postgres does not answer, or lacks tables."""
    postgres = settings.postgres
    try:
        connection = await asyncpg.connect(
            postgres.dsn.get_secret_value(),
            timeout=postgres.connect_timeout_s,
            command_timeout=postgres.command_timeout_s,
            server_settings={
                "application_name": "tongdai-apply",
                "synchronous_commit": postgres.synchronous_commit,
            },
        )
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise DependencyError(
            f"Postgres at {postgres.masked_dsn} does not answer ({error or 'time is over'}): "
            "check that it runs and TONGDAI_POSTGRES_DSN is right"
        ) from error
    try:
        yield connection
    except asyncpg.UndefinedTableError as error:
        raise DependencyError(
            f"the database at {postgres.masked_dsn} lacks tables ({error}): run tongdai migrate first"
        ) from error
    finally:
        await connection.close()
