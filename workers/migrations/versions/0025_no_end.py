"""What goes on though something else has no end: erasures, fetches of histories, files' own failures."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    run_sql(__file__)
