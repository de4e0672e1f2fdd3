"""`tongdai erase`: takes away what was written and is known of one customer."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from config.settings import Settings
from workers.cli.erasure import Found, erase, find
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json
from workers.cli.printable import shortened
from workers.cli.start import start_tool
from workers.runtime.postgres import connect, disconnect

app = command_app()


@app.command("erase")
def erase_customer(
    customer: Annotated[str, typer.Argument(help="channel:account:user, or the conversation's id.")],
    workspace: Annotated[str, typer.Option(help="Whose customer it is.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it, only say what there is.")] = False,
    json: JsonOption = False,
) -> None:
    """Say what there is of a customer; with --yes, take it away for ever."""
    found, position = asyncio.run(_erase(start_tool(), workspace, customer, really=yes))
    if json:
        print_json(_as_json(found, position))
        return
    what = (
        f"{found.lines} lines of the transcript, {found.marks} edits and reactions, {found.tickets} tickets, "
        f"{found.files} files, and the profile"
    )
    who = shortened(found.key, 200)
    if position is None:
        typer.echo(f"{who} has {what}. Nothing was done: add --yes to take it away for ever")
        return
    typer.echo(f"{who} is erased up to position {position}: {what}")


async def _erase(
    settings: Settings, workspace: str, customer: str, *, really: bool
) -> tuple[Found, int | None]:
    connection = await connect(settings, "tongdai erase")
    try:
        found = await find(connection, workspace, customer)
        return found, await erase(settings, connection, found) if really else None
    finally:
        await disconnect(connection)


def _as_json(found: Found, position: int | None) -> dict[str, Any]:
    return {**found._asdict(), "conversation": str(found.conversation), "erased_to": position}
