"""What agents see: followers, mutes, offers, and numbers that are counted once for all who see them."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql(__file__)
