"""Shorter lists of words that are not sorted in yet: no batch sorts many in."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0029"
down_revision = "0025"


def upgrade() -> None:
    run_sql(__file__)
