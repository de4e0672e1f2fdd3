"""Tickets, orders and quick replies."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_sql(__file__)
