"""What lists are read by: the last interaction, and words of names without their diacritics."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql(__file__)
