"""Addresses and customers that are kept out."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run_sql(__file__)
