"""Accounts of people, as `tongdai accounts` writes and the sign-in reads them."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from config.errors import TongdaiError
from workers.gateway.identity import Role
from workers.gateway.passwords import hash_password
from workers.runtime.handler import Connection

ADD = """
INSERT INTO account (workspace_id, login, password_hash, role, agent_id) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING true
"""
REHASH = """
UPDATE account SET password_hash = $3, changed_at = now()
WHERE workspace_id = $1 AND login = $2 RETURNING true
"""
SET_ACTIVE = """
UPDATE account SET active = $3, changed_at = now() WHERE workspace_id = $1 AND login = $2 RETURNING true
"""
END_SIGN_INS = """
UPDATE sign_in SET ended_at = now(), ended_why = $3
WHERE workspace_id = $1 AND login = $2 AND ended_at IS NULL
"""
LIST = """
SELECT login, role, agent_id AS agent, active FROM account WHERE workspace_id = $1 ORDER BY login
"""
ALLOW = """
INSERT INTO sign_in_network (workspace_id, network, note) VALUES ($1, $2, $3)
ON CONFLICT (workspace_id, network) DO UPDATE SET note = excluded.note
"""
FORBID = "DELETE FROM sign_in_network WHERE workspace_id = $1 AND network = $2 RETURNING true"
NETWORKS = "SELECT network::text, note FROM sign_in_network WHERE workspace_id = $1 ORDER BY network"


class Account(NamedTuple):
    """One account, without its secret."""

    login: str
    role: Role
    agent: str
    active: bool


async def add_account(connection: Connection, workspace: str, account: Account, password: str) -> None:
    """Write a new account. Raises TongdaiError when there is such a login, or the password will not do."""
    added = await connection.fetchval(
        ADD, workspace, account.login, _hashed(password), account.role, account.agent
    )
    if not added:
        raise TongdaiError(
            f"There is an account {account.login} in {workspace}: tongdai accounts passwd sets it."
        )


async def set_password(connection: Connection, workspace: str, login: str, password: str) -> None:
    """Give an account another password and end its sign-ins. Raises TongdaiError when there is none."""
    async with connection.transaction():
        _found(await connection.fetchval(REHASH, workspace, login, _hashed(password)), workspace, login)
        await connection.execute(END_SIGN_INS, workspace, login, "password")


async def set_active(connection: Connection, workspace: str, login: str, *, active: bool) -> None:
    """Let an account in, or keep it out and end its sign-ins. Raises TongdaiError when there is none."""
    async with connection.transaction():
        _found(await connection.fetchval(SET_ACTIVE, workspace, login, active), workspace, login)
        if not active:
            await connection.execute(END_SIGN_INS, workspace, login, "disabled")


async def list_accounts(connection: Connection, workspace: str) -> list[Account]:
    """All accounts of a workspace."""
    return [Account(*row) for row in await connection.fetch(LIST, workspace)]


async def allow_network(connection: Connection, workspace: str, network: str, note: str) -> None:
    """Let people of a workspace come from `network` (and no longer from everywhere). Raises TongdaiError."""
    await connection.execute(ALLOW, workspace, _network(network), note)


async def forbid_network(connection: Connection, workspace: str, network: str) -> None:
    """Take it off the list; without any, they may come from everywhere. Raises TongdaiError."""
    if not await connection.fetchval(FORBID, workspace, _network(network)):
        raise TongdaiError(f"{network} is not on the list of {workspace}.")


async def list_networks(connection: Connection, workspace: str) -> list[tuple[str, str]]:
    """The networks from which people of a workspace may come, with their notes."""
    return [tuple(row) for row in await connection.fetch(NETWORKS, workspace)]


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise TongdaiError(f"{text!r} is no network such as 203.0.113.0/24: {error}") from error


def _hashed(password: str) -> str:
    try:
        return hash_password(password)
    except ValueError as error:
        raise TongdaiError(f"The password will not do: {error}.") from error


def _found(found: object, workspace: str, login: str) -> None:
    if not found:
        raise TongdaiError(f"There is no account {login} in {workspace}.")
