"""Where visitors of websites are, and what agents have read of theirs."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run_sql(__file__)
