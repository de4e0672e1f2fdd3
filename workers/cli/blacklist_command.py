"""`tongdai blacklist`: who is kept out of a page, as the gateway's API has it."""

from __future__ import annotations

import getpass
from typing import Annotated, get_args
from uuid import UUID

import typer
from pydantic import ValidationError

from config.errors import UsageError
from schemas.assignments import BlockDays, BlockReason
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json, print_table, time_text
from workers.cli.page_work import do_for_page
from workers.cli.start import start_tool
from workers.gateway.blacklist import rows
from workers.gateway.blacklist.entry import BLOCKS_MAX, Entry, Term
from workers.gateway.blacklist.naming import has_addresses, to_be_blocked
from workers.gateway.blacklist.rows import By
from workers.gateway.queries.queries import FIRST
from workers.runtime.handler import Connection

app = command_app()

NAME = "tongdai blacklist"
PART_MAX = 500
Page = Annotated[str, typer.Argument(help="The page's id, channel:account.")]


@app.callback()
def _group() -> None:
    """Make each a command of a group."""


@app.command(name="list")
def list_(page: Page, json: JsonOption = False) -> None:
    """Show who is kept out of a page: customers and addresses, the newest first."""

    async def read(connection: Connection, workspace: str) -> list[Entry]:
        found: list[Entry] = []
        after = FIRST
        while part := await rows.read_list(connection, workspace, [page], None, None, None, after, PART_MAX):
            found += part
            after = rows.place_of(part[-1])
        return found

    found: list[Entry] = do_for_page(start_tool(), page, NAME, read)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    shown = [
        (str(one.id), one.address or one.customer or "", time_text(one.until), one.reason or "", one.by or "")
        for one in found
    ]
    print_table(("id", "who", "until", "reason", "by"), shown)


@app.command()
def add(
    page: Page,
    address: Annotated[str, typer.Argument(help="203.0.113.7, 2001:db8::1 (its /64), or 203.0.113.0/24.")],
    days: Annotated[int | None, typer.Option(help="7 or 30; for good unless you say.")] = None,
    reason: Annotated[str | None, typer.Option(help=", ".join(get_args(BlockReason)))] = None,
) -> None:
    """Keep an address, or a network, out of a website. The same again counts from now."""
    if not has_addresses(page):
        raise UsageError(f"{page}: only visitors of websites come from addresses")
    settings = start_tool()
    try:
        network = str(to_be_blocked(address, settings.website.ipv6_prefix))
        term = Term.model_validate({"days": days, "reason": reason})
    except ValueError as error:
        allowed = f"days are {_words(BlockDays)}, reasons {_words(BlockReason)}"
        raise UsageError(f"{error}" if not isinstance(error, ValidationError) else allowed) from error

    async def block(connection: Connection, workspace: str) -> UUID | None:
        return await rows.put(connection, _by(workspace), page, network, term, None)

    id_: UUID | None = do_for_page(settings, page, NAME, block)
    if id_ is None:
        raise UsageError(f"a page keeps at most {BLOCKS_MAX} addresses out: let some in first")
    typer.echo(f"{network} is kept out of {page}: {id_}")


@app.command()
def remove(page: Page, block: Annotated[UUID, typer.Argument(help="Its id, as the list shows it.")]) -> None:
    """Let an address in again. Customers are let in by their agents, in the order of their desk."""

    async def unblock(connection: Connection, workspace: str) -> bool:
        return await rows.remove(connection, _by(workspace), page, block=block)

    if not do_for_page(start_tool(), page, NAME, unblock):
        raise UsageError(f"{page} keeps no address out by that id")
    typer.echo(f"{block} may come in again")


def _by(workspace: str) -> By:
    return By(workspace, f"cli:{getpass.getuser()}", "")


def _words(kind: object) -> str:
    return ", ".join(str(each) for each in get_args(kind))
