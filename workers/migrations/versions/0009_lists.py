"""Lists: all that puts a conversation into one, and orders it there, in one table; words of messages."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_sql(__file__)
