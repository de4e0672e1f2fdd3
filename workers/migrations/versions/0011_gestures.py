"""What customers do beside writing, and what their channels tell of them."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_sql(__file__)
