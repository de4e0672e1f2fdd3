"""The whole desk: offers, transfers, care, followers, blocks, presence, timers, policy."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql(__file__)
