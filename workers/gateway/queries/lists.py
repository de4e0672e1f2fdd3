"""Lists of conversations, page by page, and how many there are."""

from __future__ import annotations

from asyncpg import Connection
from pydantic import BaseModel

from workers.gateway.queries import cursor
from workers.gateway.queries.cursor import Cursor
from workers.gateway.queries.filters import Asked, Filters
from workers.gateway.queries.rows import Row, read_rows
from workers.gateway.queries.scope import Scope
from workers.gateway.queries.walking import Walk, walk

COUNTED_MAX = 1_000


class Page(BaseModel):
    """Part of a list, the last written in first."""

    conversations: tuple[Row, ...]
    next: str | None
    """What to give as `after` for the next page; none: this was the last."""


class Amount(BaseModel):
    """How many conversations there are."""

    count: int
    """Exact up to 1,000."""
    text: str
    """`1000+` when there are more."""


async def read_list(connection: Connection, scope: Scope, asked: Asked) -> Page:
    """One page of the list. Raises ApiError when `after` is no cursor."""
    after = None if asked.after is None else cursor.read(asked.after)
    found = await walk(connection, Walk(scope, asked, after, asked.limit + 1))
    rows = await read_rows(connection, scope, [one.id for one in found[: asked.limit]])
    if len(found) <= asked.limit:
        return Page(conversations=tuple(rows), next=None)
    last = found[asked.limit - 1]
    return Page(conversations=tuple(rows), next=cursor.write(Cursor(last.last_at, last.id)))


async def count(connection: Connection, scope: Scope, filters: Filters) -> Amount:
    """How many there are, no further than 1,000."""
    found = len(await walk(connection, Walk(scope, filters, None, COUNTED_MAX + 1)))
    counted = min(found, COUNTED_MAX)
    return Amount(count=counted, text=f"{counted}+" if found > COUNTED_MAX else str(counted))
