"""What says that Postgres does not answer now: see workers.channels.failures."""

from __future__ import annotations

from workers.channels.failures import DATABASE_ERRORS

__all__ = ["DATABASE_ERRORS"]
