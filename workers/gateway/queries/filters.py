"""What a list can be narrowed by, and the SQL of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

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

LAST_AT = "greatest(c.last_at, c.answered_at)"
"""When customer or page last wrote."""


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
    """With messages that I have not read."""
    page: Annotated[tuple[PageId, ...], Field(max_length=VALUES_MAX)] = ()
    channel: Annotated[tuple[Channel, ...], Field(max_length=VALUES_MAX)] = ()
    holder: Slug | None = None
    since: Time | None = None
    """The last interaction at or after this."""
    until: Time | None = None
    """And before this."""
    q: Words | None = None
    """Beginnings of words of the customer's names, the end of his phone; with and without diacritics. Of what
    more than 1,000 customers are called, those among the 2,000 conversations last written in."""
    text: Words | None = None
    """Part of a message, in the 2,000 conversations of the list that were last written in."""


class Asked(Filters):
    """One page of a list."""

    limit: Annotated[int, Field(ge=1, le=LIST_MAX)] = 50
    after: Annotated[str, StringConstraints(min_length=1, max_length=CURSOR_CHARS_MAX)] | None = None
    """`next` of the page before."""


def pages_wanted(filters: Filters) -> bool:
    """Whether only some pages are asked for."""
    return bool(filters.page or filters.channel)


def takes_page(filters: Filters, page: str) -> bool:
    """Whether conversations of `page` are asked for."""
    return (not filters.page or page in filters.page) and (
        not filters.channel or channel_of(page) in filters.channel
    )


def conditions(filters: Filters, scope: Scope, after: Cursor | None, parameters: Parameters) -> Iterator[str]:
    """SQL on rows c, d, k of conversation, desk_conversation and customer; each must hold."""
    if filters.care:
        yield f"d.care = ANY ({parameters.texts(filters.care)})"
    if filters.page:
        yield f"d.page_id = ANY ({parameters.texts(filters.page)})"
    if filters.channel:
        yield f"split_part(d.page_id, ':', 1) = ANY ({parameters.texts(filters.channel)})"
    if filters.holder is not None:
        yield f"d.holder = {parameters.text(filters.holder)}"
    if filters.unread:
        yield (
            "(SELECT i.unread > 0 FROM inbox i WHERE i.workspace_id = c.workspace_id"  # noqa: S608
            f" AND i.agent_id = {parameters.text(scope.agent)} AND i.conversation_id = c.conversation_id)"
        )
    if filters.since is not None:
        yield f"c.last_minute >= {_minute(filters.since, parameters)}"
        yield f"{LAST_AT} >= {parameters.moment(filters.since)}"
    if filters.until is not None:
        yield f"c.last_minute <= {_minute(filters.until, parameters)}"
        yield f"{LAST_AT} < {parameters.moment(filters.until)}"
    if after is not None:
        yield f"c.last_minute <= {_minute(after.at, parameters)}"
        yield (
            f"({LAST_AT}, c.conversation_id) < ({parameters.moment(after.at)}, {parameters.uuid(after.id)})"
        )
    if customer := list(customer_conditions(filters, scope.workspace, parameters)):
        yield (
            f"(SELECT {' AND '.join(customer)} FROM customer k"  # noqa: S608  columns of this module
            " WHERE k.workspace_id = c.workspace_id AND k.customer_id = c.conversation_id)"
        )


def customer_conditions(filters: Filters, workspace: str, parameters: Parameters) -> Iterator[str]:
    """SQL on a row k of customer; each has an index of its own."""
    if filters.tag:
        yield f"k.tags @> {parameters.texts(filters.tag)} AND k.tags <> '{{}}'"
    if filters.group:
        yield f"k.groups @> {parameters.texts(filters.group)} AND k.groups <> '{{}}'"
    if filters.q is not None:
        words = f"search_query({parameters.text(workspace)}, {parameters.text(filters.q)})"
        yield f"customer_words(k.workspace_id, k.channel_name, k.name, k.phone) @@ {words}"


def among(ids: list[UUID], parameters: Parameters) -> str:
    """SQL for one of these conversations."""
    return f"c.conversation_id = ANY ({parameters.uuids(ids)})"


def _minute(at: datetime, parameters: Parameters) -> str:
    return f"date_trunc('minute', {parameters.moment(at)} AT TIME ZONE 'UTC')"
