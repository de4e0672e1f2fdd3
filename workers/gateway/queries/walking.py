"""A page of a list: which conversations, the last written in first. Statements are put together here.

Two ways lead to them. Where one of the filters leaves few conversations, these are looked at one by one.
Otherwise the recent are walked, by an index that has them in order for each page or holder, until there are
enough: then what is asked for is common, or the statement's time is over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from asyncpg import Connection

from workers.gateway.queries.cursor import Cursor
from workers.gateway.queries.filters import (
    LAST_AT,
    Filters,
    among,
    conditions,
    customer_conditions,
    pages_wanted,
    takes_page,
)
from workers.gateway.queries.parameters import Parameters
from workers.gateway.queries.scope import Scope, buckets_of, condition
from workers.notifier.places import Bucket

FEW = 1_000
"""So many are looked at one by one."""
SEARCHED = 2_000
"""So many of the recent are searched for a text, or for a name that more than `FEW` customers have."""

WITH_TEXT = """
SELECT DISTINCT conversation_id FROM message
WHERE workspace_id = $1 AND conversation_id = ANY ($2) AND body IS NOT NULL
    AND position(folded($3) IN folded(body)) > 0
"""
WITH_NAME = """
SELECT customer_id FROM customer
WHERE workspace_id = $1 AND customer_id = ANY ($2)
    AND (customer_words(workspace_id, channel_name, name, phone) @@ search_query($1, $3)) IS TRUE
"""

_NOTHING = "SELECT NULL::uuid AS conversation_id, now() AS last_minute, now() AS last_at WHERE false"
# OFFSET 0 keeps the order of reading, whatever the planner believes of the tables: from rows that an index
# has in order to one row of the other table each.
_WALKED = """
conversation c CROSS JOIN LATERAL (
    SELECT desk_id, page_id, holder, audience, care FROM desk_conversation
    WHERE workspace_id = c.workspace_id AND conversation_id = c.conversation_id OFFSET 0
) AS d
"""
_OFFERED = """
desk_conversation d CROSS JOIN LATERAL (
    SELECT * FROM conversation
    WHERE workspace_id = d.workspace_id AND conversation_id = d.conversation_id OFFSET 0
) AS c
"""
_ORDER = "last_minute DESC, last_at DESC, conversation_id DESC"


class Found(NamedTuple):
    """One of a list."""

    id: UUID
    last_minute: datetime
    last_at: datetime


class Walk(NamedTuple):
    """What is looked for."""

    scope: Scope
    filters: Filters
    after: Cursor | None
    limit: int


async def walk(connection: Connection, wanted: Walk) -> list[Found]:
    """At most `limit` of what is wanted, in order."""
    ids = await few(connection, wanted)
    return await _find(connection, wanted, ids)


async def few(connection: Connection, wanted: Walk) -> list[UUID] | None:
    """Those of one filter, when it leaves few; they may be of others. None: no filter does."""
    if wanted.filters.text is not None:
        return await _recent_with(connection, wanted, "text", WITH_TEXT)
    for statement, parameters in _probes(wanted):
        rows = await connection.fetch(f"{statement} LIMIT {FEW + 1}", *parameters.values)
        if len(rows) <= FEW:
            return [row[0] for row in rows]
    if wanted.filters.q is not None:  # a common name: to read the words of all whom it passes takes too long
        return await _recent_with(connection, wanted, "q", WITH_NAME)
    return None


def statement_of(wanted: Walk, ids: list[UUID] | None) -> tuple[str, list[object]]:
    """The statement that finds them, with its values."""
    parameters = Parameters()
    streams = _streams(wanted, ids, parameters) or [_NOTHING]
    union = " UNION ALL ".join(f"({stream})" for stream in streams)
    limit = parameters.number(wanted.limit)
    return f"SELECT * FROM ({union}) AS found ORDER BY {_ORDER} LIMIT {limit}", parameters.values  # noqa: S608


async def _find(connection: Connection, wanted: Walk, ids: list[UUID] | None) -> list[Found]:
    statement, values = statement_of(wanted, ids)
    return [Found(*row) for row in await connection.fetch(statement, *values)]


async def _recent_with(connection: Connection, wanted: Walk, name: str, statement: str) -> list[UUID]:
    """Of the recent that the other filters leave, those for which the statement finds what is asked."""
    asked = getattr(wanted.filters, name)
    filters = wanted.filters.model_copy(update={name: None})
    recent = await walk(connection, Walk(wanted.scope, filters, None, SEARCHED))
    rows = await connection.fetch(statement, wanted.scope.workspace, [one.id for one in recent], asked)
    return [row[0] for row in rows]


def _probes(wanted: Walk) -> Iterator[tuple[str, Parameters]]:
    """Statements of what single filters leave."""
    filters, workspace = wanted.filters, wanted.scope.workspace
    for single in ({"q"}, {"tag", "group"}):
        parameters = Parameters()
        named = Filters.model_validate(filters.model_dump(include=single))
        if said := list(customer_conditions(named, workspace, parameters)):
            where = " AND ".join([f"k.workspace_id = {parameters.text(workspace)}", *said])
            yield f"SELECT k.customer_id FROM customer k WHERE {where}", parameters  # noqa: S608
    if filters.unread:
        parameters = Parameters()
        of, agent = parameters.text(workspace), parameters.text(wanted.scope.agent)
        his = f"i.workspace_id = {of} AND i.agent_id = {agent}"
        yield f"SELECT i.conversation_id FROM inbox i WHERE {his} AND i.unread > 0", parameters  # noqa: S608
    if filters.care:
        parameters = Parameters()
        mine = condition(wanted.scope, buckets_of(filters.bucket), parameters)
        cares = parameters.texts([f"{workspace}/{care}" for care in filters.care])
        where = f"d.workspace_id || '/' || d.care = ANY ({cares}) AND {mine}"
        yield f"SELECT d.conversation_id FROM desk_conversation d WHERE {where}", parameters  # noqa: S608


def _streams(wanted: Walk, ids: list[UUID] | None, parameters: Parameters) -> list[str]:
    """Statements that each find some, in order, none twice; together all."""
    scope, filters = wanted.scope, wanted.filters
    buckets = buckets_of(filters.bucket)
    if ids is not None:
        return [_stream(wanted, buckets, [among(ids, parameters)], parameters)]
    if filters.holder is not None and filters.holder != scope.agent:
        return [_stream(wanted, buckets, [f"c.holder = {parameters.text(filters.holder)}"], parameters)]
    return list(_walks(wanted, buckets, parameters))


def _walks(wanted: Walk, buckets: Collection[Bucket], parameters: Parameters) -> Iterator[str]:
    scope = wanted.scope
    for bucket in buckets:
        if bucket in ("mine", "watching") and not scope.pages:
            continue
        match bucket:
            case "unclaimed":
                yield _by_page(wanted, bucket, ["c.holder IS NULL"], parameters)
                yield _offered(wanted, parameters)
            case "watching":
                yield _by_page(wanted, bucket, [], parameters)
            case _:
                mine = [f"c.holder = {parameters.text(scope.agent)}"]
                yield _stream(wanted, [bucket], mine, parameters)


def _by_page(wanted: Walk, bucket: Bucket, more: list[str], parameters: Parameters) -> str:
    """Of each of his pages the last."""
    pages = wanted.scope.pages
    if pages_wanted(wanted.filters):
        pages = frozenset(page for page in pages if takes_page(wanted.filters, page))
    said = ["c.page_id = of.page_id", *more]
    inner = _stream(wanted, [bucket], said, parameters)
    return (
        f"SELECT one.* FROM unnest({parameters.texts(pages)}) AS of (page_id)"  # noqa: S608
        f" CROSS JOIN LATERAL ({inner}) AS one"
    )


def _offered(wanted: Walk, parameters: Parameters) -> str:
    """What is offered to him on pages that are not his."""
    scope = wanted.scope
    said = [
        f"d.workspace_id = {parameters.text(scope.workspace)}",
        f"d.audience = ANY ({parameters.texts(scope.audiences)})",
        f"NOT d.page_id = ANY ({parameters.texts(scope.pages)})",
    ]
    return _last(_OFFERED, wanted, ["unclaimed"], said, parameters)


def _stream(wanted: Walk, buckets: Collection[Bucket], said: list[str], parameters: Parameters) -> str:
    """The last of the conversations of which `said` holds."""
    said = [f"c.workspace_id = {parameters.text(wanted.scope.workspace)}", *said]
    return _last(_WALKED, wanted, buckets, said, parameters)


def _last(
    source: str, wanted: Walk, buckets: Collection[Bucket], said: list[str], parameters: Parameters
) -> str:
    """The last of those of which `said` holds, in these buckets, as the filters want them."""
    where = [
        *said,
        condition(wanted.scope, buckets, parameters),
        *conditions(wanted.filters, wanted.scope, wanted.after, parameters),
    ]
    return (
        f"SELECT c.conversation_id, c.last_minute, {LAST_AT} AS last_at FROM {source}"  # noqa: S608
        f" WHERE {' AND '.join(where)} ORDER BY {_ORDER} LIMIT {parameters.number(wanted.limit)}"
    )
