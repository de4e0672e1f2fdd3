"""How e-mail is sent for a page: set by operators, read by the mailer."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import orjson

from config.errors import UsageError
from workers.channels.delivery.vault import Vault
from workers.channels.mail.address import is_address
from workers.channels.mail.frame import Language
from workers.channels.mail.letter import Sender
from workers.channels.mail.smtp import Server, Tls
from workers.channels.outreach.rows import try_now
from workers.runtime.handler import Connection

NAME_CHARS_MAX = 100
HOST = re.compile(r"[A-Za-z0-9.:-]{1,253}")
SET = """
INSERT INTO mail_page (page_id, workspace_id, host, port, tls, login, address, name, language)
SELECT page_id, workspace_id, $2, $3, $4, $5, $6, $7, $8 FROM page_registry WHERE page_id = $1
ON CONFLICT (page_id) DO UPDATE SET workspace_id = excluded.workspace_id, host = excluded.host,
    port = excluded.port, tls = excluded.tls, login = excluded.login, address = excluded.address,
    name = excluded.name, language = excluded.language
"""
READ = "SELECT host, port, tls, login, address, name, language FROM mail_page WHERE page_id = $1"


class PageMail(NamedTuple):
    """A page's mail server, and who its customers see."""

    server: Server
    sender: Sender


def mail_of(
    host: str,
    port: int,
    tls: Tls,
    login: tuple[str, str] | None,
    address: str,
    name: str,
    language: Language,
) -> PageMail:
    """What an operator has said. Raises UsageError when it can be no sender or no server."""
    if not is_address(address):
        raise UsageError(f"{address!r} is no e-mail address")
    if not name.strip() or len(name) > NAME_CHARS_MAX or not name.isprintable():
        raise UsageError(f"the sender's name has 1 to {NAME_CHARS_MAX} visible characters")
    if not HOST.fullmatch(host):
        raise UsageError(f"{host!r} is no name or address of a server")
    return PageMail(Server(host, port, tls, login), Sender(address, name, language))


async def set_page(connection: Connection, vault: Vault, page: str, mail: PageMail) -> None:
    """Keep how e-mail is sent for `page`. Raises UsageError when no workspace has it."""
    server, sender = mail
    login = None if server.login is None else vault.seal(orjson.dumps(server.login).decode())
    given = server.host, server.port, server.tls, login, *sender
    if await connection.execute(SET, page, *given) != "INSERT 0 1":
        raise UsageError(
            f"no workspace has the page {page}: name it in a workspace file, `tongdai apply` that"
        )
    await try_now(connection, ("mail",), page)


async def read_page(connection: Connection, vault: Vault, page: str) -> PageMail | None:
    """The same; none: nobody has set it. Raises ConfigurationError when no key opens its login."""
    row: Any = await connection.fetchrow(READ, page)
    if row is None:
        return None
    host, port, tls, login, *sender = row
    return PageMail(Server(host, port, tls, _opened(vault, login)), Sender(*sender))


def _opened(vault: Vault, login: bytes | None) -> tuple[str, str] | None:
    if login is None:
        return None
    user, password = orjson.loads(vault.open(login))
    return user, password
