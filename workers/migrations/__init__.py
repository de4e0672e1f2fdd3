"""Migrations of the database: plain SQL, ordered, forward only, applied by alembic.

`versions/NNNN_name.py` names its predecessor and runs `versions/NNNN_name.sql`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


def migrate(dsn: str) -> None:
    """Bring the database at `dsn` (`postgresql://…`) to the newest version; safe to repeat and to race."""
    # Imported when needed: workers, which only ask what is pending, start half a second of CPU sooner.
    from workers.migrations.with_alembic import upgrade  # noqa: PLC0415

    upgrade(dsn)


def pending_migrations(dsn: str) -> tuple[str, ...]:
    """The versions that the database at `dsn` still lacks, oldest first."""
    from workers.migrations.with_alembic import pending  # noqa: PLC0415

    return pending(dsn)


async def lacking_migrations(connection: Any) -> tuple[str, ...]:  # noqa: ANN401 - asyncpg has no types
    """The same over an asyncpg connection, and without alembic."""
    current = ""
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is not None:
        current = await connection.fetchval("SELECT version_num FROM alembic_version") or ""
    versions = (path.name.partition("_")[0] for path in (_HERE / "versions").glob("[0-9]*_*.py"))
    return tuple(sorted(version for version in versions if version > current))
