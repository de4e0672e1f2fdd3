"""Accounts, sign-ins, service tokens, the audit of what was refused."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql(__file__)
