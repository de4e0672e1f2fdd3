"""What a lane needs to notice that its topics are not the same any more."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    run_sql(__file__)
