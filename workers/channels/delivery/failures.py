"""What Postgres may raise while it is away or in a hurry: tried again, and nothing is lost by it.

What it says of our own statements is not among it: that is a bug, and is raised.
"""

from __future__ import annotations

import asyncpg

from workers.runtime.failures import DependencyDownError

PASSING_ERRORS = (
    DependencyDownError,
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
