"""`tongdai migrate`: bring the database to the newest version."""

from __future__ import annotations

import typer
from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError, OperationalError

from config.error_text import told
from config.errors import ConfigurationError, DependencyError, TongdaiError
from workers.cli.exits import of_postgres
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json
from workers.cli.start import start_tool
from workers.migrations import migrate as apply_migrations
from workers.migrations import pending_migrations

app = command_app()


@app.command()
def migrate(as_json: JsonOption = False) -> None:
    """Apply the migrations that the database lacks. Forward only; safe to repeat and to race."""
    settings = start_tool()
    dsn = settings.postgres.dsn.get_secret_value()
    try:
        missing = pending_migrations(dsn)
        apply_migrations(dsn)
    except OperationalError as error:
        raise DependencyError(
            f"Postgres at {settings.postgres.masked_dsn} does not answer: {error.orig}"
        ) from error
    except DBAPIError as error:
        raise _failed(error) from error
    except CommandError as error:
        raise ConfigurationError(
            f"The database is of another version than this program: {error}. Run the newest of both"
        ) from error
    if as_json:
        print_json({"applied": list(missing)})
    else:
        typer.echo(f"applied {', '.join(missing)}" if missing else "the database is up to date")


def _failed(error: DBAPIError) -> TongdaiError:
    """What Postgres refused: the owner's right above all."""
    known = of_postgres(error)
    if isinstance(known, ConfigurationError):
        return ConfigurationError(f"Only the database's owner can migrate it. {known}")
    return TongdaiError(f"A migration failed, and has changed nothing: {told(error.orig or error)}")
