"""`tongdai erase`: takes away what was written and is known of one customer."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from config.errors import UsageError
from config.settings import Settings
from workers.cli.erased_topics import left_in_topics, told
from workers.cli.erasure import erase, find
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json
from workers.cli.printable import shortened
from workers.cli.start import start_tool
from workers.gateway.erasure import Found
from workers.runtime.postgres import connected

app = command_app()


@app.command("erase")
def erase_customer(
    customer: Annotated[str, typer.Argument(help="channel:account:user, or the conversation's id.")],
    workspace: Annotated[str, typer.Option(help="Whose customer it is.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it, only say what there is.")] = False,
    topics: Annotated[
        bool, typer.Option("--topics", help="Say what topics still hold, and until when: reads all of them.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Say what there is of a customer; with --yes, take it away for ever. May be repeated."""
    if yes and topics:
        raise UsageError("--topics only looks: say --yes first, and --topics afterwards")
    settings = start_tool()
    found, position = asyncio.run(_erase(settings, workspace, customer, really=yes))
    left = asyncio.run(left_in_topics(settings, found.key, found.conversation)) if topics else []
    if json:
        print_json({**_as_json(found, position), "topics": left})
        return
    typer.echo(_told(found, position))
    for one in left:
        typer.echo(f"  {told(one)}")


async def _erase(
    settings: Settings, workspace: str, customer: str, *, really: bool
) -> tuple[Found, int | None]:
    async with connected(settings, "tongdai erase") as connection:
        found = await find(connection, workspace, customer)
        return found, await erase(settings, connection, found) if really else None


def _told(found: Found, position: int | None) -> str:
    what = (
        f"{found.lines} lines of the transcript, {found.marks} edits and reactions, {found.tickets} tickets, "
        f"{found.files} files, {found.waiting} messages that wait to be sent, {found.addresses} addresses, "
        f"{found.orders} orders, and the profile"
    )
    who = shortened(found.key, 200)
    if position is not None:
        return f"{who} is erased up to position {position}: {what}"
    return f"{who} has {what}. {_last(found)}Nothing was done: add --yes to take it away for ever"


def _last(found: Found) -> str:
    if found.asked_at is None:
        return ""
    how = "is not done yet" if found.done_at is None else f"was done at {found.done_at:%Y-%m-%d %H:%M:%S} UTC"
    by = shortened(found.asked_by or "", 200)
    return f"The erasure that {by} asked for at {found.asked_at:%Y-%m-%d %H:%M:%S} UTC {how}. "


def _as_json(found: Found, position: int | None) -> dict[str, Any]:
    return {**found._asdict(), "conversation": str(found.conversation), "erased_to": position}
