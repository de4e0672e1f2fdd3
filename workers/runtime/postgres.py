"""Connections to Postgres, with their deadlines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, cast

import asyncpg

from config.error_text import told
from config.settings import Settings
from workers.runtime.failures import DependencyDownError
from workers.runtime.handler import Connection

IDLE_IN_TRANSACTION_TIMEOUT_S = 60
IDLE_IN_POOL_S = 10
"""What pools are used for is short: who is silent for so long in a transaction is frozen, and holds rows."""
LOCK_TIMEOUT_S = 10
STATEMENT_PART = 0.9
"""Of a command's deadline. The server gives a statement up first, and says so: who hears nothing has lost
the server."""
DATABASE_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asyncpg's own state after a session was ended under it
)
"""What says that Postgres does not answer now: the same may succeed later."""


async def connect(settings: Settings, name: str, **server_settings: str) -> Connection:
    """A connection that commits durably and never waits for ever.

    `server_settings` hold in each of its transactions, beside those that all have.

    Raises DependencyDownError when Postgres does not answer.
    """
    postgres = settings.postgres
    statement_ms = STATEMENT_PART * postgres.command_timeout_s * 1000
    # Less than for a statement: who waits for a lock is told from who takes long himself.
    lock_ms = min(LOCK_TIMEOUT_S * 1000, statement_ms / 2)
    try:
        connection = await asyncpg.connect(
            postgres.dsn.get_secret_value(),
            timeout=postgres.connect_timeout_s,
            command_timeout=postgres.command_timeout_s,
            server_settings={
                "application_name": name[:63],
                "synchronous_commit": postgres.synchronous_commit,
                "lock_timeout": f"{lock_ms:.0f}ms",
                "statement_timeout": f"{statement_ms:.0f}ms",
                "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_TIMEOUT_S}s",
                "jit": "off",  # hundreds of milliseconds for plans that run in one
                **server_settings,
            },
        )
    except DATABASE_ERRORS as error:
        raise DependencyDownError(
            f"Postgres at {postgres.masked_dsn} does not answer: {told(error)}. Check that it runs, and that "
            "TONGDAI_POSTGRES_DSN is right"
        ) from error
    return cast("Connection", connection)


def new_pool(
    settings: Settings,
    name: str,
    connections_max: int,
    *,
    reset: Callable[[Any], Awaitable[None]] | None = None,
    server_settings: Mapping[str, str] = MappingProxyType({}),
    command_timeout_s: float | None = None,
) -> asyncpg.Pool:
    """A pool, not opened yet; its connections are made when they are needed.

    `reset` is done with a connection that comes back, instead of what asyncpg does. `server_settings` hold in
    every session. A statement has `command_timeout_s`, or what is set; its connection is let go after twice
    that at latest, since asyncpg waits as long again for the server to say that it was cancelled.
    """
    postgres = settings.postgres
    return asyncpg.create_pool(
        postgres.dsn.get_secret_value(),
        min_size=0,
        max_size=connections_max,
        timeout=postgres.connect_timeout_s,
        command_timeout=command_timeout_s or postgres.command_timeout_s,
        server_settings={
            "application_name": name,
            "idle_in_transaction_session_timeout": f"{IDLE_IN_POOL_S}s",
            "jit": "off",
            **server_settings,
        },
        reset=reset,
    )


@asynccontextmanager
async def connected(settings: Settings, name: str) -> AsyncIterator[Connection]:
    """What `connect` gives, for as long as the block lasts. Raises what `connect` raises."""
    connection = await connect(settings, name)
    try:
        yield connection
    finally:
        await disconnect(connection)


async def disconnect(connection: Connection) -> None:
    """Close at once: an open transaction is rolled back by the server."""
    connection.terminate()
    await asyncio.sleep(0)


def connection_lost(error: BaseException, connection: Connection) -> bool:
    """Whether `error` says that the session is gone, so that the outcome of a commit may be unknown."""
    if connection.is_closed():
        return True
    return isinstance(
        error,
        (
            OSError,
            TimeoutError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,  # asyncpg's own state after a session was ended under it
            asyncpg.PostgresConnectionError,
            asyncpg.OperatorInterventionError,
            asyncpg.InsufficientResourcesError,
            asyncpg.ObjectNotInPrerequisiteStateError,
            asyncpg.InvalidSQLStatementNameError,  # another session than the one that prepared it
        ),
    )


def is_unprepared(error: BaseException) -> bool:
    """Whether the database is not what the program expects: a right, a table or a column is missing.

    That is no record's fault, and somebody has to mend it: `tongdai migrate`, then `tongdai access postgres`.
    """
    return isinstance(
        error,
        (
            asyncpg.InsufficientPrivilegeError,
            asyncpg.UndefinedTableError,
            asyncpg.UndefinedColumnError,
            asyncpg.UndefinedFunctionError,
            asyncpg.InvalidSchemaNameError,
        ),
    )


def lacks_memory(error: BaseException) -> bool:
    """Whether memory was short: asyncpg says then that it cannot encode what it is given."""
    return isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError)


def lost_a_race(error: BaseException) -> bool:
    """Whether Postgres rolled back because of another transaction: the same may succeed the next time."""
    return isinstance(error, (asyncpg.SerializationError, asyncpg.DeadlockDetectedError))
