"""What agents do: answers that wait for the desk, outcomes, customers' profiles, silent sessions."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql(__file__)
