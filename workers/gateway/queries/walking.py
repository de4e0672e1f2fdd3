"""A part of a list: which conversations, the last written in first, and where it goes on.

The sources of the list are walked in their order, no further than a bounded number of rows. What the filters
leave over nearly nothing of would so never be found: where an index says that there are few of it, these are
looked at one by one. What lies between ends a part early; the next one goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple
from uuid import UUID

import orjson
from asyncpg import Connection, Record

from workers.gateway.queries.cursor import Cursor
from workers.gateway.queries.filters import (
    Filters,
    customer_query,
    is_of_customers,
    looks_further,
    message_query,
    so_far,
)
from workers.gateway.queries.parameters import Parameters
from workers.gateway.queries.statements import Statement, Wanted, among, stretch

FEW = 1_200
"""So many customers, visitors, unread conversations or messages are looked at one by one."""
WALKED, READ = 1_500, 100
"""So many rows are walked otherwise; so many, where the messages of each are read."""
OF_ONES_OWN = ("mine", "assigned")
"""Buckets of what one has oneself."""
COMMON = 8_000
"""So many customers are not looked up: the index must have all of them before it tells the first."""


class Part(NamedTuple):
    """At most as many conversations as were wanted."""

    found: list[Cursor]
    end: Cursor | None
    """Where the next part goes on; none: there is nothing behind it."""


class Probe(NamedTuple):
    """What an index finds by itself."""

    text: str
    values: list[object]
    answers: dict[str, object]
    """The filters of which it need not be asked again, as nothing is wanted."""
    believed: Statement | None = None
    """What is as common, where all is looked up before the first row comes."""


async def walk(connection: Connection, wanted: Wanted) -> Part:
    """The next of the list; it may be short, or empty, and the list go on all the same."""
    filters = wanted.filters
    if not looks_further(filters):
        return await _walk(connection, wanted, 2 * wanted.limit)
    if filters.online and len(wanted.online) <= FEW:
        return await _among(connection, wanted, wanted.online, {"online": None})
    for probe in _probes(wanted):
        part = await _look_at(connection, wanted, probe)
        if part is not None:
            return part
    return await _walk(connection, wanted, READ if filters.text else WALKED)


async def _walk(connection: Connection, wanted: Wanted, walked: int) -> Part:
    """Those among the next `walked` of the list's sources."""
    rows = await _fetch(connection, stretch(wanted, walked))
    found = [_cursor(row) for row in rows if row["wanted"]]
    is_short = len(found) < len(rows)
    return Part(found, _cursor(rows[-1]) if is_short or len(found) == wanted.limit else None)


async def _look_at(connection: Connection, wanted: Wanted, probe: Probe) -> Part | None:
    """The list among what a probe finds; none: that is not few."""
    if probe.believed is not None and await _estimate(connection, probe.believed) > COMMON:
        return None
    rows = await connection.fetch(f"{probe.text} LIMIT {FEW + 1}", *probe.values)
    if len(rows) > FEW:
        return None
    return await _among(connection, wanted, {row[0] for row in rows}, probe.answers)


async def _among(
    connection: Connection, wanted: Wanted, ids: Collection[UUID], answers: dict[str, object]
) -> Part:
    """The list among those that are all that some filters leave: of `answers` need not be asked again."""
    left = wanted._replace(filters=wanted.filters.model_copy(update=answers))
    found = [_cursor(row) for row in await _fetch(connection, among(left, [*ids]))]
    return Part(found, found[-1] if len(found) == wanted.limit else None)


async def _estimate(connection: Connection, statement: Statement) -> float:
    """How many rows the planner believes that a statement finds."""
    text, values = statement
    (row,) = await connection.fetch(f"EXPLAIN (FORMAT JSON) {text}", *values)
    return float(orjson.loads(row[0])[0]["Plan"]["Plan Rows"])


async def _fetch(connection: Connection, statement: Statement | None) -> list[Record]:
    if statement is None:
        return []
    text, values = statement
    found: list[Record] = await connection.fetch(text, *values)
    return found


def _cursor(row: Record) -> Cursor:
    return Cursor(row["last_at"], row["conversation_id"])


def _probes(wanted: Wanted) -> Iterator[Probe]:
    """What finds the list by one of its filters, if there is little of it."""
    filters, workspace, parameters = wanted.filters, wanted.scope.workspace, Parameters()
    if filters.unread and (filters.bucket in OF_ONES_OWN or not wanted.scope.pages):
        text = " UNION ALL ".join(_unread(wanted, parameters))
        yield Probe(text, parameters.values, {})
    if is_of_customers(filters):
        # Of whole words it has statistics.
        believed = _customers(filters, workspace, is_begun=False)
        answers: dict[str, object] = {"tag": (), "group": (), "q": None}
        yield Probe(*_customers(filters, workspace, is_begun=True), answers, believed)
    parameters = Parameters()
    if filters.text is not None:
        words = f"message_words(workspace_id, body) @@ {message_query(filters.text, workspace, parameters)}"
        text = (
            f"SELECT conversation_id FROM message WHERE {words} AND body IS NOT NULL AND {so_far(parameters)}"  # noqa: S608
        )
        yield Probe(text, parameters.values, {"text": None})


def _unread(wanted: Wanted, parameters: Parameters) -> Iterator[str]:
    """What of his inbox is unread, and what is offered to him: of pages that are his it may be all."""
    scope, of_workspace = wanted.scope, f"workspace_id = {parameters.text(wanted.scope.workspace)}"
    his = f"agent_id = {parameters.text(scope.agent)} AND {of_workspace}"
    yield f"SELECT conversation_id FROM inbox WHERE {his} AND is_unread"  # noqa: S608
    if scope.audiences and wanted.filters.bucket not in OF_ONES_OWN:
        offered = f"audience = ANY ({parameters.texts(scope.audiences)}) AND {of_workspace}"
        yield f"SELECT conversation_id FROM notifier_conversation WHERE {offered}"  # noqa: S608


def _customers(filters: Filters, workspace: str, *, is_begun: bool) -> Statement:
    parameters = Parameters()
    query = customer_query(filters, workspace, parameters, is_begun=is_begun)
    return f"SELECT customer_id FROM customer WHERE words @@ {query}", parameters.values  # noqa: S608
