"""Connections that can only read, and give up in time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from asyncpg import Connection, Pool

from config.settings import Settings
from workers.gateway.problem import database_down, unavailable
from workers.runtime.postgres import DATABASE_ERRORS, new_pool

CONNECTIONS_MAX = 8
STATEMENT_MS = 2_000
COMMAND_S = 1.5 * STATEMENT_MS / 1000
"""An answer that has not come by then was lost: Postgres itself gives up before."""
ACQUIRE_S = 2.0

# Statements are planned with their values: what is rare in one workspace is common in another. Whoever reads
# a page of a list wants its first rows at once, which joins that first read whole tables do not give; and
# what has an index is found by it, in its order, whatever the statistics of a table that has just grown say.
# What takes some milliseconds is not worth the start of parallel workers.
SERVER_SETTINGS = {
    "default_transaction_read_only": "on",
    "statement_timeout": str(STATEMENT_MS),
    "plan_cache_mode": "force_custom_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",
}


def query_pool(settings: Settings) -> Pool:
    """A pool for reading, not opened yet."""
    return new_pool(
        settings,
        "tongdai gateway queries",
        CONNECTIONS_MAX,
        server_settings=SERVER_SETTINGS,
        command_timeout_s=COMMAND_S,
    )


@asynccontextmanager
async def reading(pool: Pool) -> AsyncIterator[Connection]:
    """A connection with one view of all tables. Raises ApiError when Postgres is slow or away."""
    try:
        async with (
            pool.acquire(timeout=ACQUIRE_S) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection
    except asyncpg.QueryCanceledError as error:
        raise unavailable("too_slow", "This takes too long: ask for less, or for fewer pages.") from error
    except (asyncpg.SyntaxOrAccessError, asyncpg.DataError):
        raise  # a bug of ours
    except DATABASE_ERRORS as error:
        raise database_down() from error
