"""With whom SMS and calls are made for a page: set by operators, read by the delivery worker."""

from __future__ import annotations

from typing import NamedTuple

from config.errors import UsageError
from schemas.phones import e164
from workers.channels.outreach.rows import try_now
from workers.runtime.handler import Connection

# Pages of one workspace may share a number; a customer who answers it must not reach another company.
OF_OTHERS = """
SELECT phone.page_id FROM phone_page phone JOIN page_registry own ON own.page_id = $1
WHERE phone.account = $2 AND phone.number = $3 AND phone.workspace_id <> own.workspace_id LIMIT 1
"""
SET = f"""
INSERT INTO phone_page (page_id, workspace_id, account, number)
SELECT page_id, workspace_id, $2, $3 FROM page_registry WHERE page_id = $1 AND NOT EXISTS ({OF_OTHERS})
ON CONFLICT (page_id) DO UPDATE SET workspace_id = excluded.workspace_id, account = excluded.account,
    number = excluded.number
"""  # noqa: S608 - a constant
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
    """Keep how SMS and calls are made for `page`.

    Raises UsageError when no workspace has it, or a page of another workspace has the number.
    """
    if await connection.execute(SET, page, *phone) != "INSERT 0 1":
        if other := await connection.fetchval(OF_OTHERS, page, *phone):
            raise UsageError(
                f"{phone.number} of {phone.account} is the number of {other}, a page of another workspace: "
                "who answers it would reach one of both; each workspace needs a number of its own"
            )
        raise UsageError(
            f"no workspace has the page {page}: name it in a workspace file, `tongdai apply` that"
        )
    await try_now(connection, ("sms", "call"), page)


async def read_page(connection: Connection, page: str) -> PagePhone | None:
    """The same; none: nobody has set it."""
    row = await connection.fetchrow(READ, page)
    return None if row is None else PagePhone(*row)
