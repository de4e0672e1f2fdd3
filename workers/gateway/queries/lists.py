"""Lists of conversations, page by page, and how many there are."""

from __future__ import annotations

from uuid import UUID

from asyncpg import Connection
from pydantic import BaseModel

from workers.gateway.queries import cursor
from workers.gateway.queries.filters import Asked, Filters, looks_further
from workers.gateway.queries.rows import Row, read_rows
from workers.gateway.queries.scope import Scope, buckets_of
from workers.gateway.queries.statements import Wanted, amount
from workers.gateway.queries.walking import walk

PAST = "~"
"""Before the cursor of a page that comes after those who are online."""
COUNTED_MAX = 1_000
WALKED_MAX = 5_000
"""So many rows are looked at for a count."""


class Page(BaseModel):
    """Part of a list, the last written in first. It may be short, or empty, and still not the last: what is
    asked for is then rare among the many that were looked at."""

    conversations: tuple[Row, ...]
    next: str | None
    """What to give as `after` for the next page; none: this was the last."""


class Amount(BaseModel):
    """How many conversations there are."""

    count: int
    """Exact up to 1,000, unless the text says that there may be more."""
    text: str
    """`1000+` when there are more; another number with `+`: at least so many, to say more takes too long."""


async def read_list(
    connection: Connection, scope: Scope, asked: Asked, online: frozenset[UUID] = frozenset()
) -> Page:
    """One page of the list. Raises ApiError when `after` is no cursor.

    Args:
        online: conversations whose visitors are there, if that is asked for.
    """
    if asked.order == "online_first" and asked.online is None:
        return await _read_online_first(connection, scope, asked, online)
    after = None if asked.after is None else cursor.read(asked.after)
    found, end = await walk(connection, Wanted(scope, asked, after, asked.limit + 1, online))
    if len(found) > asked.limit:
        found, end = found[: asked.limit], found[asked.limit - 1]
    rows = await read_rows(connection, scope, [one.id for one in found])
    buckets = buckets_of(asked.bucket)
    # The desk is ahead of the lists: what has left the bucket since is not shown.
    seen = tuple(row for row in rows if row.bucket in buckets)
    return Page(conversations=seen, next=None if end is None else cursor.write(end))


async def _read_online_first(
    connection: Connection, scope: Scope, asked: Asked, online: frozenset[UUID]
) -> Page:
    """Two lists, one behind the other. Who comes or goes between two pages may be in both, or in none."""
    is_past = asked.after is not None and asked.after.startswith(PAST)
    after = asked.after.removeprefix(PAST) if asked.after else ""
    part = asked.model_copy(update={"online": not is_past, "after": after or None})
    page = await read_list(connection, scope, part, online)
    if is_past:
        return page.model_copy(update={"next": page.next and PAST + page.next})
    left = asked.limit - len(page.conversations)
    if page.next is not None or not left:
        return page.model_copy(update={"next": page.next or PAST})
    others = asked.model_copy(update={"after": PAST, "limit": left})
    rest = await _read_online_first(connection, scope, others, online)
    return rest.model_copy(update={"conversations": (*page.conversations, *rest.conversations)})


async def count(
    connection: Connection, scope: Scope, filters: Filters, online: frozenset[UUID] = frozenset()
) -> Amount:
    """How many there are, no further than 1,000."""
    wanted = Wanted(scope, filters, None, COUNTED_MAX + 1, online)
    if looks_further(filters):
        part = await walk(connection, wanted)
        return _amount(len(part.found), is_all=part.end is None)
    statement = amount(wanted, WALKED_MAX)
    if statement is None:
        return _amount(0, is_all=True)
    text, values = statement
    found, walked = await connection.fetchrow(text, *values)
    return _amount(found, is_all=walked < WALKED_MAX)


def _amount(found: int, *, is_all: bool) -> Amount:
    counted = min(found, COUNTED_MAX)
    return Amount(count=counted, text=str(found) if is_all and found <= COUNTED_MAX else f"{counted}+")
