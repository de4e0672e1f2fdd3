"""How messages to customers fare on their channels, and the tokens of the pages."""

from __future__ import annotations

from workers.migrations.run_sql import predecessor, run_sql

revision = "0010"
down_revision = predecessor(__file__)


def upgrade() -> None:
    run_sql(__file__)
