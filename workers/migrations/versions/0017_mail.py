"""E-mail out of tickets and back into them."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    run_sql(__file__)
