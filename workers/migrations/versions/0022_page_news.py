"""What is to be told of pages that are paused, or that go on."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    run_sql(__file__)
