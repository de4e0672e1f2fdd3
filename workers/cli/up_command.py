"""`tongdai up`: all workers on this machine."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from workers.cli.group import command_app
from workers.cli.start import start_tool
from workers.local.backing import DATA_DIR, fetch_servers, uses_embedded
from workers.local.up import up as run_up

app = command_app()


@app.command()
def up(
    local: Annotated[
        bool,
        typer.Option("--local", help="Use embedded servers even when the settings name Kafka and Postgres."),
    ] = False,
) -> None:
    """Run all workers; start again who dies. Ctrl-C stops all of them in order.

    Uses the Kafka and Postgres that the settings name; when they name none, embedded ones with their data in
    .tongdai. Applies migrations and creates missing topics first. Each line of a worker begins with its name.
    """
    settings = start_tool()
    embedded = uses_embedded(settings, local=local)
    if embedded:
        fetch_servers()
    asyncio.run(run_up(settings, DATA_DIR, embedded=embedded, say=_say, show=typer.echo))


def _say(line: str) -> None:
    typer.echo(f"tongdai  * {line}")
