"""Files that customers and agents send each other."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_sql(__file__)
