"""Runs the SQL file that stands beside a migration."""

from __future__ import annotations

from pathlib import Path

from alembic import op


def run_sql(migration: str) -> None:
    """Execute the statements of `migration` with the ending `.sql`, in alembic's transaction."""
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise RuntimeError("migrations need a live connection")
    with connection.cursor() as cursor:
        cursor.execute(Path(migration).with_suffix(".sql").read_text(encoding="utf-8"))
