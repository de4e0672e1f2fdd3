"""Older messages, who customers are on their channels, and what is read from the channels for both."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    run_sql(__file__)
