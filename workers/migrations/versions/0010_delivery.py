"""How messages to customers fare on their channels, and the tokens of the pages."""

from __future__ import annotations

from workers.migrations.run_sql import run_sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_sql(__file__)
