"""Tickets: a page of them by status, the last changed in first; those of one conversation; their fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import orjson
from asyncpg import Connection
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.base import Moment, PageId, Slug
from schemas.tickets import NUMBER_MAX, TicketField, TicketStatus
from workers.gateway.identity import Identity
from workers.gateway.queries import cursor
from workers.gateway.queries.cursor import CURSOR_CHARS_MAX, Cursor
from workers.gateway.queries.people import desks_of
from workers.gateway.queries.queries import FIRST, View, visible
from workers.gateway.queries.scope import Scope
from workers.gateway.roster import Roster

LIST_MAX = 100
MERGED_MAX = 50
"""Of so many pages the newest are looked at together; of more, all of the workspace is walked."""
WALKED = 1_500
"""So many rows are walked for one page of a list that leaves some over."""

_COLUMNS = """conversation_id, number, ticket_id, page_id, session, first_position, status, subject, fields,
    agent_id, created_at, changed_at, changed_by"""
_ORDER = "changed_at DESC, ticket_id DESC"


def _stream(key: str, limit: str = "$5") -> str:
    """The next of one stretch of an index."""
    return f"""
    SELECT {_COLUMNS} FROM ticket
    WHERE {key} workspace_id = $1 AND status = $2 AND (changed_at, ticket_id) < ($3, $4)
    ORDER BY {_ORDER} LIMIT {limit}"""  # noqa: S608  own columns


def _shown(found: str) -> str:
    return f"""
SELECT found.*, coalesce(k.name, k.channel_name) AS customer
FROM ({found}) AS found
LEFT JOIN customer k ON k.workspace_id = $1 AND k.customer_id = found.conversation_id
ORDER BY {_ORDER}
"""  # noqa: S608  own statements


# Who administers a page and had one of its tickets finds it in two streams: UNION leaves it once.
HEADS = _shown(f"""
    SELECT found.* FROM unnest($6::text[]) AS wanted (page_id) CROSS JOIN LATERAL (
        {_stream("page_id = wanted.page_id AND")}) AS found
    UNION
    SELECT found.* FROM unnest($7::text[]) AS wanted (agent_id) CROSS JOIN LATERAL (
        {_stream("agent_id = wanted.agent_id AND")}) AS found
    ORDER BY {_ORDER} LIMIT $5""")  # noqa: S608  own columns
_MINE = "(n.agent_id = $6 OR n.page_id = ANY ($7::text[])) AND ($8::text IS NULL OR n.page_id = $8)"
WALK_WORKSPACE, WALK_AGENT = (
    _shown(f"SELECT * FROM ({_stream(key, str(WALKED))}) AS n WHERE {_MINE} ORDER BY {_ORDER} LIMIT $5")  # noqa: S608
    for key in ("", "agent_id = $9 AND")
)
LAST_OF_WORKSPACE, LAST_OF_AGENT = (_stream(key, "1 OFFSET $5") for key in ("", "agent_id = $6 AND"))
OF_CONVERSATION = f"""
SELECT t.*, coalesce(k.name, k.channel_name) AS customer FROM (
    SELECT {_COLUMNS} FROM ticket WHERE workspace_id = $1 AND conversation_id = $2 AND number < $3
    ORDER BY number DESC LIMIT $4
) AS t LEFT JOIN customer k ON k.workspace_id = $1 AND k.customer_id = $2
ORDER BY number DESC
"""  # noqa: S608  own columns
FIELDS = """
SELECT desk_id AS desk, coalesce(definition -> 'ticket_fields', '[]') AS fields
FROM desk_policy WHERE workspace_id = $1 AND desk_id = ANY ($2::text[]) ORDER BY desk_id
"""


class TicketsAsked(BaseModel):
    """Which tickets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: TicketStatus = "open"
    page: PageId | None = None
    agent: Slug | None = None
    """Whose: who was given the conversation last in the ticket's session."""
    after: Annotated[str, StringConstraints(min_length=1, max_length=CURSOR_CHARS_MAX)] | None = None
    """`next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=LIST_MAX)] = 50


class TicketSeen(BaseModel):
    """A ticket; its conversation's transcript from `first_position` on tells what it is about."""

    conversation: UUID
    ticket: int
    """1, 2, 3, … in the conversation."""
    page: str
    customer: str | None
    session: int
    first_position: int
    status: TicketStatus
    subject: str
    fields: dict[str, Any]
    agent: str | None
    created_at: Moment
    changed_at: Moment
    changed_by: str | None
    """None: it changed by itself."""


class Tickets(BaseModel):
    """Part of a list. It may be short, or empty, and still not the last."""

    tickets: tuple[TicketSeen, ...]
    next: str | None
    """What to give as `after` for the next page; none: this was the last."""


class DeskFields(BaseModel):
    """What the tickets of a desk can say."""

    desk: str
    fields: tuple[TicketField, ...]


class Walk(NamedTuple):
    """Where a list is looked for that leaves some over: among an agent's, or in all of the workspace."""

    agent: str | None
    page: str | None


async def read_tickets(view: View, asked: TicketsAsked) -> Tickets:
    """One page of the list: of his own tickets as far as he may see them still, and of all on his pages."""
    connection, scope = view.connection, view.scope
    after = FIRST if asked.after is None else cursor.read(asked.after)
    place = scope.workspace, asked.status, after.at, after.id
    wanted = asked.limit + 1
    walk = _walk(scope, asked)
    if walk is not None:
        rows = await _walked(connection, scope, walk, place, wanted)
    else:
        rows = await connection.fetch(HEADS, *place, wanted, *_streams(scope, asked))
    shown, end = rows[: asked.limit], None
    if len(rows) > asked.limit:
        end = Cursor(shown[-1]["changed_at"], shown[-1]["ticket_id"])
    elif walk is not None:
        end = await _end(connection, walk, place)
    others = {row["conversation_id"] for row in shown if row["page_id"] not in scope.pages}
    seen = await visible(view, others)
    kept = (row for row in shown if row["page_id"] in scope.pages or row["conversation_id"] in seen)
    return Tickets(tickets=tuple(map(_seen, kept)), next=None if end is None else cursor.write(end))


async def read_of_conversation(
    connection: Connection, workspace: str, conversation: UUID, before: int | None, limit: int
) -> list[TicketSeen]:
    """Those of a conversation, the newest first; whether he may see it has been decided."""
    below = NUMBER_MAX if before is None else before
    return [
        _seen(row) for row in await connection.fetch(OF_CONVERSATION, workspace, conversation, below, limit)
    ]


async def read_fields(
    connection: Connection, scope: Scope, identity: Identity, roster: Roster
) -> list[DeskFields]:
    """Of his desk, and of those of his pages."""
    rows = await connection.fetch(FIELDS, scope.workspace, sorted(desks_of(scope, identity, roster)))
    return [DeskFields(desk=row["desk"], fields=orjson.loads(row["fields"])) for row in rows]


def _walk(scope: Scope, asked: TicketsAsked) -> Walk | None:
    """How the list is looked for when no index has just it."""
    if asked.agent is not None:
        is_his = asked.agent == scope.agent and asked.page is None
        return None if is_his else Walk(asked.agent, asked.page)
    if asked.page is not None:
        return None if asked.page in scope.pages else Walk(scope.agent, asked.page)
    return Walk(None, None) if len(scope.pages) > MERGED_MAX else None


def _streams(scope: Scope, asked: TicketsAsked) -> tuple[list[str], list[str]]:
    """The pages and the agents all of whose tickets are of the list."""
    if asked.agent is not None:
        return [], [asked.agent]
    if asked.page is not None:
        return [asked.page], []
    return sorted(scope.pages), [scope.agent]


Place = tuple[object, ...]


async def _walked(
    connection: Connection, scope: Scope, walk: Walk, place: Place, wanted: int
) -> Sequence[Mapping[str, Any]]:
    given = (*place, wanted, scope.agent, sorted(scope.pages), walk.page)
    if walk.agent is None:
        rows = await connection.fetch(WALK_WORKSPACE, *given)
    else:
        rows = await connection.fetch(WALK_AGENT, *given, walk.agent)
    return list(rows)


async def _end(connection: Connection, walk: Walk, place: Place) -> Cursor | None:
    """The last row that was walked, if as many were as may be."""
    if walk.agent is None:
        row = await connection.fetchrow(LAST_OF_WORKSPACE, *place, WALKED - 1)
    else:
        row = await connection.fetchrow(LAST_OF_AGENT, *place, WALKED - 1, walk.agent)
    return row and Cursor(row["changed_at"], row["ticket_id"])


def _seen(row: Mapping[str, Any]) -> TicketSeen:
    same = (
        "customer",
        "session",
        "first_position",
        "status",
        "subject",
        "created_at",
        "changed_at",
        "changed_by",
    )
    return TicketSeen(
        conversation=row["conversation_id"],
        ticket=row["number"],
        page=row["page_id"],
        fields=orjson.loads(row["fields"]),
        agent=row["agent_id"],
        **{name: row[name] for name in same},
    )
