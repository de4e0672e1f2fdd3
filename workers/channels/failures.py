"""What says that Postgres does not answer now: the same may succeed later."""

from __future__ import annotations

import asyncpg

DATABASE_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asyncpg's own state after a session was ended under it
)
