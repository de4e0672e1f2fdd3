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


def predecessor(migration: str) -> str:
    """The revision that is numbered before `migration`: those made at the same time need not agree."""
    path = Path(migration)
    numbers = sorted(each.name.partition("_")[0] for each in path.parent.glob("[0-9]*_*.py"))
    return numbers[numbers.index(path.name.partition("_")[0]) - 1]
