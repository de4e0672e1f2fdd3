"""`tongdai history`: older messages, fetched from the channels."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from config.errors import UsageError
from schemas.ids import channel_of
from workers.channels.reading import fetches
from workers.channels.reading.fetches import EVERYBODY, Fetch
from workers.channels.reading.readers import CHANNELS
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json, print_table, time_text
from workers.cli.page_work import do_for_page
from workers.cli.start import start_tool
from workers.runtime.handler import Connection

app = command_app()

NAME = "tongdai history"
Page = Annotated[str, typer.Argument(help="The page's id, channel:account.")]
User = Annotated[str, typer.Option("--user", help="With this customer alone, by the channel's id of him.")]


@app.callback()
def _group() -> None:
    """Make each a command of a group."""


@app.command()
def fetch(page: Page, user: User = EVERYBODY) -> None:
    """Have a page's older messages fetched by the delivery workers; while that is under way it goes on."""
    if channel_of(page) not in CHANNELS:
        raise UsageError(f"{page}: older messages can be fetched on {' and '.join(CHANNELS)} alone")

    async def start(connection: Connection, workspace: str) -> Fetch | None:
        return await fetches.start(connection, workspace, page, user, f"cli:{getpass.getuser()}")

    _tell(do_for_page(start_tool(), page, NAME, start))


@app.command()
def stop(page: Page, user: User = EVERYBODY) -> None:
    """Fetch no more; what was read stays."""

    async def end(connection: Connection, workspace: str) -> Fetch | None:
        return await fetches.stop(connection, workspace, page, user)

    _tell(do_for_page(start_tool(), page, NAME, end))


@app.command(name="list")
def list_(page: Page, json: JsonOption = False) -> None:
    """Show what is and was fetched of a page, the last asked for first."""

    async def read(connection: Connection, workspace: str) -> list[Fetch]:
        return await fetches.read_all(connection, workspace, page)

    found: list[Fetch] = do_for_page(start_tool(), page, NAME, read)
    if json:
        print_json([one._asdict() for one in found])
        return
    rows = [
        (
            one.user or "everybody",
            one.state,
            one.reason or "",
            str(one.found),
            str(one.left_out),
            one.asked_by,
            time_text(one.changed_at),
        )
        for one in found
    ]
    print_table(("user", "state", "reason", "messages", "left out", "asked by", "changed"), rows)


def _tell(found: Fetch | None) -> None:
    if found is None:
        raise UsageError("nobody has asked for these messages")
    typer.echo(f"{found.page}, {found.user or 'everybody'}: {found.state}, {found.found} messages read")
