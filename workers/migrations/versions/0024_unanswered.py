"""How often nobody learnt what became of an attempt to send."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    run_sql(__file__)
