"""Who follows a conversation as an admin of its page, and so for as long as he is that."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    run_sql(__file__)
