"""What opens a channel's time for answers, resending once, and receipts that overtake our own record."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    run_sql(__file__)
