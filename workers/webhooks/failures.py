"""What passes by itself when the database is back."""

from __future__ import annotations

import asyncpg

DATABASE_ERRORS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
