"""What a list can be narrowed by, and the SQL of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from schemas.assignments import CareStatus
from schemas.base import NO_NUL_PATTERN, Channel, PageId, Slug
from schemas.definitions import Tag
from schemas.ids import channel_of
from workers.gateway.queries.cursor import CURSOR_CHARS_MAX, Cursor
from workers.gateway.queries.parameters import Parameters
from workers.gateway.queries.scope import BucketName, Scope

LIST_MAX = 100
VALUES_MAX = 20

Words = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NO_NUL_PATTERN)]

Time = Annotated[
    AwareDatetime,
    Field(ge=datetime(2000, 1, 1, tzinfo=UTC), le=datetime(2200, 1, 1, tzinfo=UTC)),
]


CLOCKS_APART = timedelta(days=1)
"""By more the clocks of broker, database and gateway do not differ."""
BEGUN = """
SELECT created_at - interval '1 minute' FROM customer WHERE workspace_id = n.workspace_id
    AND customer_id = n.conversation_id
"""
"""The months before it have none of its messages."""


class Filters(BaseModel):
    """All that are given must hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bucket: BucketName = "all"
    care: Annotated[tuple[CareStatus, ...], Field(max_length=VALUES_MAX)] = ()
    """One of these."""
    tag: Annotated[tuple[Tag, ...], Field(max_length=VALUES_MAX)] = ()
    """All of these."""
    group: Annotated[tuple[Tag, ...], Field(max_length=VALUES_MAX)] = ()
    """All of these."""
    unread: bool = False
    """Those of which their rows say so."""
    """With messages that I have not read."""
    page: Annotated[tuple[PageId, ...], Field(max_length=VALUES_MAX)] = ()
    channel: Annotated[tuple[Channel, ...], Field(max_length=VALUES_MAX)] = ()
    holder: Slug | None = None
    online: bool | None = None
    """Whose visitors are on the website now, or are not."""
    since: Time | None = None
    """The last interaction at or after this."""
    until: Time | None = None
    """And before this."""
    q: Words | None = None
    """Words of the customer's names, the last perhaps only begun, or the end of his phone; with and without
    diacritics."""
    text: Words | None = None
    """Words of one of its messages, the last perhaps only begun; with and without diacritics."""


class Asked(Filters):
    """One page of a list."""

    order: Literal["last", "online_first"] = "last"
    """The last written in first; before them, if you say so, those whose visitors are on the website now."""

    limit: Annotated[int, Field(ge=1, le=LIST_MAX)] = 50
    after: Annotated[str, StringConstraints(min_length=1, max_length=CURSOR_CHARS_MAX)] | None = None
    """`next` of the page before."""


def looks_further(filters: Filters) -> bool:
    """Whether anything is asked for that the indexes of lists do not say."""
    is_marked = filters.tag or filters.group or filters.unread or filters.online is not None
    return bool(is_marked or filters.q or filters.text)


def takes_page(filters: Filters, page: str) -> bool:
    """Whether conversations of `page` are asked for."""
    return (not filters.page or page in filters.page) and (
        not filters.channel or channel_of(page) in filters.channel
    )


def window(filters: Filters, after: Cursor | None, parameters: Parameters) -> Iterator[str]:
    """SQL on a row n of notifier_conversation: the stretch of time that is asked for, behind `after`."""
    if filters.since is not None:
        yield f"n.last_minute >= {_minute(filters.since, parameters)}"
        yield f"n.last_at >= {parameters.moment(filters.since)}"
    if filters.until is not None:
        yield f"n.last_minute <= {_minute(filters.until, parameters)}"
        yield f"n.last_at < {parameters.moment(filters.until)}"
    if after is not None:
        yield f"n.last_minute <= {_minute(after.at, parameters)}"
        yield f"(n.last_at, n.conversation_id) < ({parameters.moment(after.at)}, {parameters.uuid(after.id)})"


def conditions(filters: Filters, scope: Scope, parameters: Parameters) -> Iterator[str]:
    """SQL on a row n of notifier_conversation; each must hold."""
    if filters.care:
        yield f"n.care = ANY ({parameters.texts(filters.care)})"
    if filters.page:
        yield f"n.page_id = ANY ({parameters.texts(filters.page)})"
    if filters.channel:
        yield f"split_part(n.page_id, ':', 1) = ANY ({parameters.texts(filters.channel)})"
    if filters.unread:
        yield (
            "coalesce((SELECT i.is_unread FROM inbox i WHERE i.workspace_id = n.workspace_id"  # noqa: S608
            f" AND i.agent_id = {parameters.text(scope.agent)} AND i.conversation_id = n.conversation_id"
            " AND (i.holds OR i.follows)), CASE WHEN n.holder IS NULL THEN n.in_session > 0 ELSE (SELECT"
            " i.is_unread FROM inbox i WHERE i.workspace_id = n.workspace_id AND i.agent_id = n.holder"
            " AND i.conversation_id = n.conversation_id) END)"
        )
    if is_of_customers(filters):
        yield (
            f"(SELECT k.words @@ {customer_query(filters, scope.workspace, parameters)} FROM customer k"  # noqa: S608
            " WHERE k.workspace_id = n.workspace_id AND k.customer_id = n.conversation_id)"
        )
    if filters.text is not None:
        yield (
            "(SELECT bool_or(message_words(m.workspace_id, m.body)"  # noqa: S608
            f" @@ {message_query(filters.text, scope.workspace, parameters)}) FROM (SELECT workspace_id, body"
            " FROM message WHERE workspace_id = n.workspace_id AND conversation_id = n.conversation_id"
            f" AND stored_at >= ({BEGUN}) AND {so_far(parameters)} AND body IS NOT NULL OFFSET 0) AS m)"
        )


def is_of_customers(filters: Filters) -> bool:
    """Whether what is kept of customers is asked for."""
    return bool(filters.tag or filters.group or filters.q)


def customer_query(filters: Filters, workspace: str, parameters: Parameters, *, is_begun: bool = True) -> str:
    """SQL of what the words of a customer must match."""
    q = "NULL" if filters.q is None else parameters.text(filters.q)
    tags, groups = parameters.texts(filters.tag), parameters.texts(filters.group)
    return f"customer_query({parameters.text(workspace)}, {q}, {is_begun}, {tags}, {groups})"


def message_query(text: str, workspace: str, parameters: Parameters) -> str:
    """SQL of what the words of a message must match."""
    return f"message_query({parameters.text(workspace)}, {parameters.text(text)})"


def so_far(parameters: Parameters) -> str:
    """SQL that holds for all messages, and that leaves the months to come unread."""
    return f"stored_at < {parameters.moment(datetime.now(UTC) + CLOCKS_APART)}"


def _minute(at: datetime, parameters: Parameters) -> str:
    return f"date_trunc('minute', {parameters.moment(at)} AT TIME ZONE 'UTC')"
