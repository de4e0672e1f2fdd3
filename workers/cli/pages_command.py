"""`tongdai pages`: the pages' tokens, how they are used, and how they fare."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from config.errors import UsageError
from config.problem import variable
from config.reference import resolve_reference
from config.settings import Settings
from schemas.ids import channel_of
from workers.channels.delivery import connecting
from workers.channels.delivery.apps import check_app
from workers.channels.delivery.carried import is_carried
from workers.channels.delivery.connecting import Tokens
from workers.channels.delivery.page_states import PageState, list_pages
from workers.channels.delivery.vault import open_vault
from workers.channels.mail import page_rows
from workers.channels.phone import page_rows as phone_rows
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json, print_table, time_text
from workers.cli.release_command import release
from workers.cli.start import start_tool
from workers.runtime.handler import Connection
from workers.runtime.postgres import connected

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
    untold = check_app(settings.ingress, channel_of(page), app_name, exchanges=refresh is not None)
    if untold is not None:
        typer.echo(untold, err=True)
    vault = open_vault(settings)
    _run(settings, lambda connection: connecting.connect_page(connection, vault, page, tokens))
    typer.echo(f"{page} is connected: what waits for it is sent")


class Tls(StrEnum):
    """How the connection to a mail server is kept secret."""

    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    NONE = "none"


class Speech(StrEnum):
    """The language of what stands around an agent's words."""

    VI = "vi"
    EN = "en"


@app.command()
def mail(
    page: Page,
    host: Annotated[str, typer.Option(help="The mail server's name.")],
    address: Annotated[str, typer.Option(help="Whom customers see as the sender, as cskh@shop.example.")],
    name: Annotated[str, typer.Option(help="The sender's name.")],
    port: Annotated[int, typer.Option(help="The mail server's port.", min=1, max=65_535)] = 587,
    tls: Annotated[
        Tls, typer.Option(help="`none` sends mails, and the login, for all to read.")
    ] = Tls.STARTTLS,
    user: Annotated[str | None, typer.Option(help="Of the login, as env:NAME or file:PATH.")] = None,
    password: Annotated[str | None, typer.Option(help="Of the login, likewise; never itself.")] = None,
    language: Annotated[Speech, typer.Option(help="Of what stands around an agent's words.")] = Speech.VI,
) -> None:
    """Say how e-mail of a page's tickets is sent. What waits is tried at once."""
    if (user is None) != (password is None):
        raise UsageError("a login has both: --user and --password")
    login = None if user is None or password is None else (_secret(user), _secret(password))
    settings = start_tool()
    found = page_rows.mail_of(host, port, tls.value, login, address, name, language.value)
    vault = open_vault(settings)
    _run(settings, lambda connection: page_rows.set_page(connection, vault, page, found))
    if settings.mail.reply_address is None:
        typer.echo(
            f"{variable('mail', 'reply_address')} is not set: no e-mail is sent before it is", err=True
        )
    typer.echo(f"{page} sends e-mail as {address}")


@app.command()
def phone(
    page: Page,
    account: Annotated[str, typer.Option(help="At the phone provider, as the settings name it.")],
    number: Annotated[str, typer.Option(help="Whom customers see, as +842812345678.")],
) -> None:
    """Say how SMS and calls of a page's tickets are made. What waits is tried at once."""
    settings = start_tool()
    found = phone_rows.phone_of(account, number)
    if account not in {one.name for one in settings.phone.accounts}:
        raise UsageError(f"{variable('phone', 'accounts')} has no account {account}")
    _run(settings, lambda connection: phone_rows.set_page(connection, page, found))
    typer.echo(f"{page} sends SMS and calls as {found.number}")


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
    """List the pages: what is sent for them, why not and since when, how much waits, when tokens end."""
    found: list[PageState] = _run(start_tool(), lambda connection: list_pages(connection, workspace))
    if json:
        print_json([one._asdict() for one in found])
        return
    rows = [
        (one.page, one.workspace, *_state(one), str(one.waiting), time_text(one.token_ends_at))
        for one in found
    ]
    print_table(("page", "workspace", "state", "since", "waiting", "token ends"), rows)


app.command()(release)


def _state(page: PageState) -> tuple[str, str]:
    """In a word, and since when."""
    if page.paused is not None:
        return page.paused, time_text(page.paused_at)
    if page.silent_since is not None:
        return "silent", time_text(page.silent_since)
    return "carried" if is_carried(page.page) else "sending", ""


def _secret(reference: str) -> str:
    """What a reference stands for: a secret in an argument would be in the shell's history."""
    if not reference.startswith(("env:", "file:")):
        raise UsageError("name the token with env:NAME or file:PATH: arguments are seen by everybody here")
    try:
        return str(resolve_reference(reference))
    except ValueError as error:
        raise UsageError(f"the token {error}") from error


def _run(settings: Settings, do: Callable[[Connection], Awaitable[Any]]) -> Any:  # noqa: ANN401 - whatever it is
    async def run() -> Any:  # noqa: ANN401
        async with connected(settings, "tongdai pages") as connection:
            return await do(connection)

    return asyncio.run(run())
