"""Conversations as lists show them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from asyncpg import Connection
from pydantic import BaseModel, Field

from schemas.assignments import CareStatus, Standing
from schemas.base import Moment
from workers.gateway.queries.filters import CLOCKS_APART
from workers.gateway.queries.scope import Scope
from workers.notifier.places import Bucket

PREVIEW_CHARS = 200

LAST_AT = "greatest(c.last_at, c.answered_at)"
"""When customer or page last wrote."""

# The last message lies in the partition of the last interaction: the bounds leave the others unread, and
# the months to come unplanned.
READ = f"""
SELECT c.conversation_id, c.key, c.page_id, c.desk_id, c.session_open, c.position, {LAST_AT} AS last_at,
    d.care, d.standing, d.holder, d.audience, d.queued_at, d.last_held_at, d.blocked, d.round,
    $3 = ANY (d.followers) AS follows, $3 = ANY (d.muted) AS muted,
    coalesce(k.name, k.channel_name) AS customer, k.tags, k.groups,
    CASE WHEN i.holds OR i.follows THEN i.unread
         ELSE coalesce(CASE WHEN d.holder IS NULL THEN n.in_session ELSE h.unread END, 0) END AS unread,
    said.sender, said.kind, left(said.body, {PREVIEW_CHARS}) AS body
FROM unnest($2::uuid[]) WITH ORDINALITY AS wanted (conversation_id, place)
JOIN conversation c ON c.workspace_id = $1 AND c.conversation_id = wanted.conversation_id
JOIN desk_conversation d ON d.workspace_id = $1 AND d.conversation_id = wanted.conversation_id
LEFT JOIN notifier_conversation n ON n.workspace_id = $1 AND n.conversation_id = wanted.conversation_id
JOIN customer k ON k.workspace_id = $1 AND k.customer_id = wanted.conversation_id
LEFT JOIN inbox i ON i.workspace_id = $1 AND i.agent_id = $3 AND i.conversation_id = wanted.conversation_id
LEFT JOIN inbox h ON h.workspace_id = $1 AND h.agent_id = d.holder
    AND h.conversation_id = wanted.conversation_id
LEFT JOIN LATERAL (
    SELECT sender, kind, body FROM message
    WHERE workspace_id = $1 AND conversation_id = wanted.conversation_id AND kind NOT IN ('log', 'note')
        AND NOT history AND NOT blocked
        AND stored_at >= {LAST_AT} - interval '1 second' AND stored_at < {LAST_AT} + interval '1 day'
        AND stored_at < $4
    ORDER BY position DESC LIMIT 1
) AS said ON true
ORDER BY wanted.place
"""  # noqa: S608  expressions of this package


_SAME = (
    *("key", "customer", "holder", "care", "round", "standing", "session_open", "last_at"),
    *("position", "unread", "follows", "muted", "blocked"),
)
"""Named alike in the row and in what is shown."""


class Preview(BaseModel):
    """The last message, shortened."""

    sender: str
    kind: str
    text: str | None


class Row(BaseModel):
    """A conversation of a list."""

    conversation: UUID
    key: str
    page: str
    customer: str | None
    """His name in our system, or else on the channel."""
    tags: tuple[str, ...]
    groups: tuple[str, ...]
    bucket: Bucket | None
    """None: I only follow it, or had it."""
    holder: str | None
    care: CareStatus
    round: int
    standing: Standing
    session_open: bool
    waits_since: Annotated[
        Moment | None, Field(description="The moment since when nobody has it who is sought, if so.")
    ]
    """Its place in the queue is of its age, which may be more."""
    last_at: Moment
    """When customer or page last wrote."""
    last_message: Preview | None
    position: int
    """Of the transcript's last line."""
    unread: Annotated[
        int,
        Field(
            description="Messages of the customer that I have not read; of what I neither have nor follow, "
            "that its holder has not; of what nobody has, all of the last session."
        ),
    ]
    """But for what I follow, as `/counts` counts."""
    follows: bool
    muted: bool
    blocked: bool
    online: Annotated[bool, Field(description="Its visitor is on the website now.")] = False
    """As the ingresses tell; set by whoever hears them."""


async def read_rows(connection: Connection, scope: Scope, ids: Collection[UUID]) -> list[Row]:
    """These conversations, in this order; whether they may be seen has been decided.

    The connection is in a transaction, whose statements from here on are planned once for all their values.
    """
    # Rows that are named are found in one way. To plan that anew, for all months of messages, takes twice as
    # long as to do it.
    await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    so_far = datetime.now(UTC) + CLOCKS_APART
    rows = await connection.fetch(READ, scope.workspace, list(ids), scope.agent, so_far)
    return [_row(scope, row) for row in rows]


def waits_since(row: Mapping[str, Any]) -> datetime | None:
    """Since when a row waits, if it does. The age by which the queue is ordered is that of its session."""
    if row["standing"] not in ("queued", "offered"):
        return None
    return max((at for at in (row["queued_at"], row["last_held_at"]) if at is not None), default=None)


def _row(scope: Scope, row: Mapping[str, Any]) -> Row:
    said = row["sender"] and Preview(sender=row["sender"], kind=row["kind"], text=row["body"])
    return Row(
        conversation=row["conversation_id"],
        page=row["page_id"],
        tags=tuple(row["tags"]),
        groups=tuple(row["groups"]),
        bucket=scope.bucket_of(row["holder"], row["audience"], row["page_id"], row["desk_id"]),
        waits_since=waits_since(row),
        last_message=said,
        **{name: row[name] for name in _SAME},
    )
