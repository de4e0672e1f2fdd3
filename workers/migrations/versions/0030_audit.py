"""The audit: who had proved who he is, repeats in one row, and forgetting without the right to change it."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    run_sql(__file__)
