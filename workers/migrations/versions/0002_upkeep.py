"""Partitions that are made while running; no index for what is only swept."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql(__file__)
