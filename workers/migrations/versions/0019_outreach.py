"""SMS and calls out of tickets, beside e-mail."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_sql(__file__)
