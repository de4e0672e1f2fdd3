"""Webhooks out: endpoints, how far each was told, its last attempts, and the workers that share them."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql(__file__)
