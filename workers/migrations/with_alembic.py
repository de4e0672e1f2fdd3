"""What alembic does for us, apart from the rest since it and SQLAlchemy take long to import."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool

_HERE = Path(__file__).parent


def upgrade(dsn: str) -> None:
    """Bring the database to the newest version, with its partitions made ahead."""
    config = _config()
    config.attributes["engine"] = engine = _engine(dsn)
    command.upgrade(config, "head")
    with engine.begin() as connection:
        connection.execute(text("SELECT ensure_message_partitions()"))


def pending(dsn: str) -> tuple[str, ...]:
    """The versions that the database lacks, oldest first."""
    script = ScriptDirectory.from_config(_config())
    with _engine(dsn).connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    revisions = [revision.revision for revision in script.iterate_revisions("head", current or "base")]
    return tuple(reversed(revisions))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("path_separator", "os")
    return config


def _engine(dsn: str) -> Engine:
    return create_engine(make_url(dsn).set(drivername="postgresql+psycopg"), poolclass=NullPool)
