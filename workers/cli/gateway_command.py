"""`tongdai gateway`: the gateway's API, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workers.cli.group import command_app
from workers.gateway.app import api
from workers.gateway.openapi import text_of

app = command_app()

OPENAPI = Path("docs/api/openapi.json")


@app.callback()
def _group() -> None:
    """Make `openapi` a command of a group, although it is the only one."""


@app.command()
def openapi(
    out: Annotated[Path, typer.Option(help="The file to write.")] = OPENAPI,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 when the file is stale.")
    ] = False,
) -> None:
    """Write the OpenAPI 3.1 document of the HTTP API, as the code has it."""
    text = text_of(api())
    is_stale = not out.exists() or out.read_text(encoding="utf-8") != text
    if is_stale and not check:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    if is_stale:
        typer.echo(f"{out} {'is not what the code says: tongdai gateway openapi' if check else 'is written'}")
    else:
        typer.echo(f"{out} is what the code says")
    if check and is_stale:
        raise typer.Exit(1)
