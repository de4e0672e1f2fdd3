"""`tongdai access`: what operators give each worker a user of its own with."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from config.errors import UsageError
from workers.access.kafka_acls import acls, command
from workers.access.postgres_grants import grants
from workers.cli.group import command_app
from workers.cli.start import start_tool

app = command_app()

NAME_PATTERN = r"[a-z][a-z0-9_]{0,40}"


@app.callback()
def _group() -> None:
    """Make each a command of a group."""


@app.command()
def postgres(
    prefix: Annotated[str, typer.Option(help="What the names of the roles begin with.")] = "tongdai",
) -> None:
    """Print the SQL that gives each worker a role with its rights alone: for psql, as the database's owner.

    Run it again after every migration. It sets no passwords.
    """
    typer.echo(grants(_name(prefix)), nl=False)


@app.command()
def kafka(
    prefix: Annotated[str, typer.Option(help="What the names of the users begin with.")] = "tongdai",
) -> None:
    """Print the kafka-acls.sh commands that give each worker's user its rights."""
    for acl in acls(_name(prefix), start_tool().kafka.topic_prefix):
        typer.echo(command(acl))


def _name(text: str) -> str:
    if re.fullmatch(NAME_PATTERN, text) is None:
        raise UsageError(f"{text!r} begins no name: lower case letters, digits and underscores.")
    return text
