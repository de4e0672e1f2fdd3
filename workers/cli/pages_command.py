"""`tongdai pages`: the pages' tokens, how they are used, and how they fare."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from config.errors import UsageError
from config.reference import resolve_reference
from config.settings import Settings
from workers.channels.delivery import connecting
from workers.channels.delivery.connecting import PageState, Tokens
from workers.channels.delivery.vault import open_vault
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json, print_table
from workers.cli.start import start_tool
from workers.runtime.handler import Connection
from workers.runtime.postgres import connect as connect_postgres
from workers.runtime.postgres import disconnect

app = command_app()


class TooLong(StrEnum):
    """What becomes of a text that is longer than the channel takes."""

    SPLIT = "split"
    REFUSE = "refuse"


Page = Annotated[str, typer.Argument(help="The page's id, channel:account.")]


@app.callback()
def _group() -> None:
    """Make each a command of a group."""


@app.command()
def connect(
    page: Page,
    token: Annotated[str, typer.Option(help="The page's token, as env:NAME or file:PATH; never itself.")],
    refresh_token: Annotated[str | None, typer.Option(help="Zalo's refresh token, likewise.")] = None,
    app_name: Annotated[
        str | None, typer.Option("--app", help="Messenger: the app's name in the settings; Zalo: its id.")
    ] = None,
    life_s: Annotated[int | None, typer.Option(help="Seconds for which the token is good.", min=1)] = None,
) -> None:
    """Keep a page's token, encrypted. A page that was paused goes on."""
    settings = start_tool()
    life = None if life_s is None else timedelta(seconds=life_s)
    refresh = None if refresh_token is None else _secret(refresh_token)
    tokens = Tokens(_secret(token), refresh, app_name, life)
    vault = open_vault(settings)
    _run(settings, lambda connection: connecting.connect_page(connection, vault, page, tokens))
    typer.echo(f"{page} is connected: what waits for it is sent")


@app.command(name="set")
def set_(
    page: Page,
    too_long: Annotated[
        TooLong | None, typer.Option(help="Split a text that is too long, or refuse it.")
    ] = None,
    human_agent: Annotated[
        bool | None, typer.Option(help="Messenger has allowed the tag HUMAN_AGENT: answers up to 7 days.")
    ] = None,
    pays: Annotated[bool | None, typer.Option(help="Zalo may charge for answers after 48 hours.")] = None,
) -> None:
    """Say how a page is used; what is not given stays."""
    choice = None if too_long is None else too_long.value
    _run(
        start_tool(),
        lambda connection: connecting.set_page(
            connection, page, too_long=choice, human_agent=human_agent, pays=pays
        ),
    )
    typer.echo(f"{page} is set")


@app.command(name="list")
def list_(
    workspace: Annotated[str | None, typer.Argument(help="Of this workspace alone.")] = None,
    json: JsonOption = False,
) -> None:
    """List the pages: whether they are sent for, why not, how much waits, until when the tokens are good."""
    found: list[PageState] = _run(
        start_tool(), lambda connection: connecting.list_pages(connection, workspace)
    )
    if json:
        print_json([one._asdict() for one in found])
        return
    rows = [
        (one.page, one.workspace, one.paused or "sending", str(one.waiting), _time(one.token_ends_at))
        for one in found
    ]
    print_table(("page", "workspace", "state", "waiting", "token ends"), rows)


def _secret(reference: str) -> str:
    """What a reference stands for: a secret in an argument would be in the shell's history."""
    if not reference.startswith(("env:", "file:")):
        raise UsageError("name the token with env:NAME or file:PATH: arguments are seen by everybody here")
    try:
        return str(resolve_reference(reference))
    except ValueError as error:
        raise UsageError(f"the token {error}") from error


def _time(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="minutes")


def _run(settings: Settings, do: Callable[[Connection], Awaitable[Any]]) -> Any:  # noqa: ANN401 - whatever it is
    async def run() -> Any:  # noqa: ANN401
        connection = await connect_postgres(settings, "tongdai pages")
        try:
            return await do(connection)
        finally:
            await disconnect(connection)

    return asyncio.run(run())
