"""Where what comes back belongs: to which ticket, and of whom."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from workers.runtime.handler import Connection

OF_TICKET = "SELECT workspace_id, key, ticket FROM outreach WHERE ticket_id = $1 LIMIT 1"
# A provider's account speaks of its own pages' numbers alone.
OF_MESSAGE = """
SELECT o.workspace_id, o.key, o.ticket FROM outreach o
JOIN phone_page page ON page.page_id = o.page_id AND page.account = $1
WHERE o.workspace_id = $2 AND o.message_id = $3 AND o.means <> 'mail'
"""
# The last one that was written to this number from that one; none when pages of two workspaces have that one.
OF_NUMBER = """
SELECT o.workspace_id, o.key, o.ticket
FROM phone_page page CROSS JOIN LATERAL (
    SELECT workspace_id, key, ticket, written_at FROM outreach
    WHERE page_id = page.page_id AND number = $3 ORDER BY written_at DESC LIMIT 1) o
WHERE page.account = $1 AND page.number = $2 AND NOT EXISTS (
    SELECT FROM phone_page other
    WHERE other.account = $1 AND other.number = $2 AND other.workspace_id <> page.workspace_id)
ORDER BY o.written_at DESC LIMIT 1
"""


class Place(NamedTuple):
    """Which ticket of whom."""

    workspace: str
    key: str
    ticket: int


async def place_of_ticket(connection: Connection, ticket: UUID) -> Place | None:
    """The ticket of an e-mail's reply; none: nothing was ever sent about such a one."""
    return _place(await connection.fetchrow(OF_TICKET, ticket))


async def place_of_message(
    connection: Connection, account: str, workspace: str, message: UUID
) -> Place | None:
    """The ticket of an SMS or a call; none: there is none of this provider's account."""
    return _place(await connection.fetchrow(OF_MESSAGE, account, workspace, message))


async def place_of_number(connection: Connection, account: str, to: str, sender: str) -> Place | None:
    """The ticket that an SMS answers, which was sent from `sender` to a number of ours; none: none."""
    return _place(await connection.fetchrow(OF_NUMBER, account, to, sender))


def _place(row: tuple[str, str, int] | None) -> Place | None:
    return None if row is None else Place(*row)
