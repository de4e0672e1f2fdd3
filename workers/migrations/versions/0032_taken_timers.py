"""Timers whose command is on its way."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    run_sql(__file__)
