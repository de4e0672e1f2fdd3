"""`tongdai history`: older messages, fetched from the channels."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from config.errors import UsageError
from config.settings import Settings
from schemas.ids import channel_of
from workers.channels.reading import fetches
from workers.channels.reading.fetches import EVERYBODY, Fetch
from workers.channels.reading.readers import CHANNELS
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json, print_table
from workers.cli.start import start_tool
from workers.runtime.handler import Connection
from workers.runtime.postgres import connect as connect_postgres
from workers.runtime.postgres import disconnect

app = command_app()

WORKSPACE = "SELECT workspace_id FROM page_registry WHERE page_id = $1"
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

    _tell(_run(start_tool(), page, start))


@app.command()
def stop(page: Page, user: User = EVERYBODY) -> None:
    """Fetch no more; what was read stays."""

    async def end(connection: Connection, workspace: str) -> Fetch | None:
        return await fetches.stop(connection, workspace, page, user)

    _tell(_run(start_tool(), page, end))


@app.command(name="list")
def list_(page: Page, json: JsonOption = False) -> None:
    """Show what is and was fetched of a page, the last asked for first."""

    async def read(connection: Connection, workspace: str) -> list[Fetch]:
        return await fetches.read_all(connection, workspace, page)

    found: list[Fetch] = _run(start_tool(), page, read)
    if json:
        print_json([one._asdict() for one in found])
        return
    rows = [
        (one.user or "everybody", one.state, one.reason or "", str(one.found), one.asked_by, _time(one))
        for one in found
    ]
    print_table(("user", "state", "reason", "messages", "asked by", "changed"), rows)


def _tell(found: Fetch | None) -> None:
    if found is None:
        raise UsageError("nobody has asked for these messages")
    typer.echo(f"{found.page}, {found.user or 'everybody'}: {found.state}, {found.found} messages read")


def _time(found: Fetch) -> str:
    return found.changed_at.isoformat(timespec="seconds")


def _run(settings: Settings, page: str, do: Callable[[Connection, str], Awaitable[Any]]) -> Any:  # noqa: ANN401
    async def run() -> Any:  # noqa: ANN401 - whatever it is
        connection = await connect_postgres(settings, "tongdai history")
        try:
            workspace = await connection.fetchval(WORKSPACE, page)
            if workspace is None:
                raise UsageError(f"no workspace has the page {page}")
            return await do(connection, workspace)
        finally:
            await disconnect(connection)

    return asyncio.run(run())
