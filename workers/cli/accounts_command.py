"""`tongdai accounts`: who may come in through the gateway."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from config.errors import UsageError
from schemas.base import SLUG_PATTERN
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json, print_table
from workers.cli.start import start_tool
from workers.gateway import accounts, service_tokens
from workers.gateway.accounts import Account
from workers.runtime.handler import Connection
from workers.runtime.postgres import connected

app = command_app()


class PersonRole(StrEnum):
    """What an account may."""

    admin = "admin"
    page_admin = "page_admin"
    agent = "agent"


class ServiceScope(StrEnum):
    """What a service may."""

    messages = "messages"
    customers = "customers"
    conversations = "conversations"
    roster = "roster"
    orders = "orders"


Workspace = Annotated[str, typer.Argument(help="The workspace.")]
Login = Annotated[str, typer.Argument(help="What the person types to sign in, e.g. an e-mail address.")]
Service = Annotated[str, typer.Argument(help="What the service is called, in its workspace.")]


@app.callback()
def _group() -> None:
    """Make each a command of a group."""


@app.command()
def add(
    workspace: Workspace,
    login: Login,
    agent: Annotated[str, typer.Option(help="The agent in whose name the person acts.")],
    role: Annotated[PersonRole, typer.Option(help="What the person may.")] = PersonRole.agent,
) -> None:
    """Add an account. Its password is asked for, or read from the first line of stdin; never an argument."""
    account = Account(_login(login), role.value, _slug(agent), active=True)
    password = _password()
    _run(lambda connection: accounts.add_account(connection, _slug(workspace), account, password))
    typer.echo(f"{account.login} may sign in to {workspace} as {role.value}, in the name of {agent}")


@app.command()
def passwd(workspace: Workspace, login: Login) -> None:
    """Set another password, asked for or read from stdin, and sign the account out everywhere."""
    password = _password()
    _run(lambda connection: accounts.set_password(connection, workspace, _login(login), password))
    typer.echo(f"{login} has another password and is signed out everywhere")


@app.command(name="list")
def list_(workspace: Workspace, json: JsonOption = False) -> None:
    """List the accounts of a workspace."""
    found: list[Account] = _run(lambda connection: accounts.list_accounts(connection, workspace))
    if json:
        print_json([one._asdict() for one in found])
        return
    rows = [(one.login, one.role, one.agent, "yes" if one.active else "no") for one in found]
    print_table(("login", "role", "agent", "active"), rows)


@app.command()
def disable(
    workspace: Workspace,
    login: Login,
    undo: Annotated[bool, typer.Option("--undo", help="Let the account in again.")] = False,
) -> None:
    """Keep an account out and sign it out everywhere, within a second."""
    _run(lambda connection: accounts.set_active(connection, workspace, _login(login), active=undo))
    typer.echo(f"{login} {'may sign in again' if undo else 'is out'}")


@app.command()
def token(
    workspace: Workspace,
    service: Service,
    scope: Annotated[list[ServiceScope] | None, typer.Option(help="What it may; repeat for several.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="For how long; default: until revoked.")] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="Refuse its token from now on.")] = False,
) -> None:
    """Draw the token of another system, shown only now; the one it had before is no good any more."""
    if revoke:
        _run(lambda connection: service_tokens.revoke_service_token(connection, workspace, service))
        typer.echo(f"the token of {service} is refused from now on")
        return
    if not scope:
        raise UsageError(
            "A token needs at least one --scope: messages, customers, conversations, roster, orders."
        )
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
    scopes, place = [one.value for one in scope], (_slug(workspace), _slug(service))
    typer.echo(
        _run(lambda connection: service_tokens.add_service_token(connection, *place, scopes, expires_at))
    )


@app.command()
def network(
    workspace: Workspace,
    allow: Annotated[str | None, typer.Option(help="Add a network such as 203.0.113.0/24.")] = None,
    note: Annotated[str, typer.Option(help="What it is.")] = "",
    forbid: Annotated[str | None, typer.Option(help="Take a network off the list.")] = None,
    json: JsonOption = False,
) -> None:
    """List the networks from which people may sign in, after a change to them; none: from everywhere."""
    if allow is not None:
        _run(lambda connection: accounts.allow_network(connection, _slug(workspace), allow, note))
    if forbid is not None:
        _run(lambda connection: accounts.forbid_network(connection, workspace, forbid))
    found: list[tuple[str, str]] = _run(lambda connection: accounts.list_networks(connection, workspace))
    if json:
        print_json([{"network": one, "note": its_note} for one, its_note in found])
    else:
        print_table(("network", "note"), found)


def _run(work: Callable[[Connection], Awaitable[Any]]) -> Any:  # noqa: ANN401 - what the work returns
    async def run() -> object:
        async with connected(start_tool(), "tongdai accounts") as connection:
            return await work(connection)

    return asyncio.run(run())


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def _login(text: str) -> str:
    login = text.strip().lower()
    if not 1 <= len(login) <= 200 or not login.isprintable():
        raise UsageError("A login has 1 to 200 printable characters.")
    return login


def _slug(text: str) -> str:
    if re.fullmatch(SLUG_PATTERN, text) is None:
        raise UsageError(f"{text!r} is no name of ours: lower case letters, digits and dashes.")
    return text
