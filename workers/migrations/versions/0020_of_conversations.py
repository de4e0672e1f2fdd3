"""Indexes of files and outreach by conversation."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    run_sql(__file__)
