"""An index of silent sessions, which agents have as many of as they take of others."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    run_sql(__file__)
