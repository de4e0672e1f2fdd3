"""Gives pages up: from then on nobody has them, and what is written to them is refused.

A page's conversations stay where they are: their ids are made of page and customer, and their events are one
chain each, which nobody else can go on with. So a page that has some is taken again by their desk alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from config.errors import TongdaiError, UsageError
from workers.runtime.handler import Connection

# For as long as the connection lasts: the desk's answer is waited for meanwhile.
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('pages of ' || $1, 0))"
_LEFT_OUT = """
SELECT page_id, desk_id, EXISTS (
    SELECT FROM conversation WHERE page_id = registered.page_id AND workspace_id = $1
) AS has_conversations
FROM page_registry AS registered
WHERE workspace_id = $1 AND desk_id = ANY ($2::text[]) AND page_id <> ALL ($3::text[]) ORDER BY page_id
"""
_RELEASE = """
DELETE FROM page_registry AS registered WHERE workspace_id = $1 AND page_id = ANY ($2::text[])
   AND NOT EXISTS (SELECT FROM desk_page WHERE workspace_id = $1 AND page_id = registered.page_id AND active)
RETURNING page_id
"""
_UNUSED = """
SELECT page_id FROM page_registry AS registered WHERE workspace_id = $1 AND desk_id = ANY ($2::text[])
   AND NOT EXISTS (SELECT FROM conversation WHERE page_id = registered.page_id AND workspace_id = $1)
"""
_FORGET = tuple(
    f"DELETE FROM {table} WHERE workspace_id = $1 AND page_id = ANY ($2::text[])"  # noqa: S608 - our own names
    for table in ("delivery_page", "mail_page", "phone_page")
)
_STANDING = """
SELECT workspace_id AS workspace, desk_id AS desk,
    EXISTS (SELECT FROM desk_page WHERE desk_page.workspace_id = registered.workspace_id
        AND desk_page.page_id = registered.page_id AND active) AS is_in_use,
    (SELECT count(*) FROM conversation
        WHERE page_id = $1 AND workspace_id = registered.workspace_id) AS conversations
FROM page_registry AS registered WHERE page_id = $1
"""


class LeftOut(NamedTuple):
    """A page that its workspace has reserved and its file does not name."""

    page: str
    desk: str
    has_conversations: bool


class Standing(NamedTuple):
    """Where a page belongs, before it is given up."""

    workspace: str
    desk: str
    is_in_use: bool
    """Its desk has it."""
    conversations: int


async def lock_pages(connection: Connection, workspace: str) -> None:
    """Keep others from reserving and giving up pages of `workspace` until the connection ends.

    Raises TongdaiError when somebody is at it.
    """
    if not await connection.fetchval(_LOCK, workspace):
        raise TongdaiError(f"pages of the workspace {workspace} are being changed by another command: repeat")


async def left_out(
    connection: Connection, workspace: str, desks: Sequence[str], named: Sequence[str]
) -> tuple[LeftOut, ...]:
    """The pages of `desks` that are reserved although a file does not name them."""
    rows = await connection.fetch(_LEFT_OUT, workspace, desks, named)
    return tuple(LeftOut(*row) for row in rows)


async def release_unused(connection: Connection, workspace: str, desks: Sequence[str]) -> None:
    """Give up the pages of `desks`, which have just decided, that none has and nobody has written to."""
    rows = await connection.fetch(_UNUSED, workspace, desks)
    await release(connection, workspace, [page for (page,) in rows])


async def release(connection: Connection, workspace: str, pages: Collection[str]) -> None:
    """Give up those of `pages` that no desk has; their tokens and logins are forgotten with them."""
    async with connection.transaction():
        rows = await connection.fetch(_RELEASE, workspace, list(pages))
        for statement in _FORGET:
            await connection.execute(statement, workspace, [page for (page,) in rows])


async def standing_of(connection: Connection, page: str) -> Standing:
    """What giving `page` up would mean. Raises UsageError when nobody has it, or its desk still does."""
    row = await connection.fetchrow(_STANDING, page)
    if row is None:
        raise UsageError(f"no workspace has the page {page}")
    standing = Standing(*row)
    if standing.is_in_use:
        raise UsageError(
            f"the desk {standing.desk} of the workspace {standing.workspace} has the page {page}: "
            "take it out of the workspace file and apply that first"
        )
    return standing
