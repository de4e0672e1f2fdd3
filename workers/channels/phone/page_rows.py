"""With whom SMS and calls are made for a page: set by operators, read by the delivery worker."""

from __future__ import annotations

from typing import NamedTuple

from config.errors import UsageError
from schemas.phones import e164
from workers.channels.outreach.rows import try_now
from workers.runtime.handler import Connection

SET = """
INSERT INTO phone_page (page_id, workspace_id, account, number)
SELECT page_id, workspace_id, $2, $3 FROM page_registry WHERE page_id = $1
ON CONFLICT (page_id) DO UPDATE SET workspace_id = excluded.workspace_id, account = excluded.account,
    number = excluded.number
"""
READ = "SELECT account, number FROM phone_page WHERE page_id = $1"


class PagePhone(NamedTuple):
    """An account of the settings, and the number that customers see, as `+842812345678`."""

    account: str
    number: str


def phone_of(account: str, number: str) -> PagePhone:
    """What an operator has said. Raises UsageError when it is no number."""
    found = e164(number)
    if found is None:
        raise UsageError(f"{number!r} is no phone number such as 028 1234 5678 or +842812345678")
    return PagePhone(account, found)


async def set_page(connection: Connection, page: str, phone: PagePhone) -> None:
    """Keep how SMS and calls are made for `page`. Raises UsageError when no workspace has it."""
    if await connection.execute(SET, page, *phone) != "INSERT 0 1":
        raise UsageError(
            f"no workspace has the page {page}: name it in a workspace file, `tongdai apply` that"
        )
    await try_now(connection, ("sms", "call"), page)


async def read_page(connection: Connection, page: str) -> PagePhone | None:
    """The same; none: nobody has set it."""
    row = await connection.fetchrow(READ, page)
    return None if row is None else PagePhone(*row)
