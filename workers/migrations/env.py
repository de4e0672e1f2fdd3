"""How alembic runs our migrations: one transaction, one runner at a time."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text
from sqlalchemy.engine import Engine

_ONE_AT_A_TIME = 7_462_118_931  # any constant that nobody else locks


def _run(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_ONE_AT_A_TIME})"))
        context.configure(connection=connection)
        context.run_migrations()


_run(context.config.attributes["engine"])
