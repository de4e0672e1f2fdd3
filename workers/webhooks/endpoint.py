"""Endpoints, as admins ask for them and see them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.base import NO_CONTROL_PATTERN, Moment, Slug
from workers.outside.guard import URL_CHARS_MAX
from workers.webhooks.selection import EVENTS

ENDPOINTS_MAX = 20
"""Of one workspace."""
ATTEMPTS_KEPT = 100
"""Of one endpoint."""

State = Literal["active", "paused", "disabled"]
"""`disabled`: it answered 410 Gone."""
TopicName = Literal["assignments", "messages", "roster"]
EventName = Annotated[str, StringConstraints(max_length=60), Field(json_schema_extra={"enum": list(EVENTS)})]
Partition = Annotated[int, Field(ge=0, lt=10_000)]
Offset = Annotated[int, Field(ge=0, lt=2**62)]
Positions = dict[TopicName, dict[Partition, Offset]]
From = Annotated[
    Literal["beginning", "now"] | Moment | Positions,
    Field(
        description="`beginning`: all that is still kept; `now`; a time; or offsets by topic and partition, "
        'such as {"assignments": {"0": 17}}: then the other partitions stay where they are, or begin now.'
    ),
]
Url = Annotated[str, StringConstraints(min_length=8, max_length=URL_CHARS_MAX, pattern=NO_CONTROL_PATTERN)]
Description = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Asked(BaseModel):
    """What an admin asks."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, populate_by_name=True)


class NewEndpoint(Asked):
    """An endpoint that is to be."""

    id: Slug
    url: Url
    events: Annotated[tuple[EventName, ...], Field(min_length=1, max_length=len(EVENTS))] = ("assignments",)
    """Whole topics, also with kinds that they will have one day, or kinds such as `messages.stored`."""
    description: Description = ""
    from_: Annotated[From, Field(alias="from")] = "now"


class Replay(Asked):
    """From where to tell again."""

    from_: Annotated[From, Field(alias="from")]


class Stuck(BaseModel):
    """A partition whose next event was refused; the other partitions go on."""

    topic: str
    partition: int
    failures: int
    failing_since: Moment
    retry_at: Moment


class Endpoint(BaseModel):
    """An endpoint, and how it is doing."""

    id: str
    url: str
    events: tuple[str, ...]
    description: str
    state: State
    why: str
    """Why it is not active."""
    created_by: str
    created_at: Moment
    former_secret_until: Moment | None
    """Until then each event is signed with the former secret, too."""
    delivered_at: Moment | None
    failures: int
    """Of the endpoint as a whole, in a row: it does not answer, or asks for time."""
    failing_since: Moment | None
    retry_at: Moment | None
    stuck: tuple[Stuck, ...]
    behind: int | None
    """Records of all workspaces between its positions and the ends of the log, when that was last told."""
    waiting_since: Moment | None
    """The time of the oldest event that waits for it, as far as it was read."""
    positions: dict[str, tuple[int, ...]]
    """For each partition the offset of the next record; none: a worker has still to find them."""


class Created(BaseModel):
    """An endpoint with its secret, which is shown only now."""

    endpoint: Endpoint
    secret: str


class Secret(BaseModel):
    """A new secret, which is shown only now."""

    secret: str
    former_secret_until: Moment


class Attempt(BaseModel):
    """One attempt to deliver."""

    at: Moment
    event: str
    """The `webhook-id`."""
    type: str
    topic: str | None
    """None: a test."""
    partition: int | None
    offset: int | None
    status: int | None
    """None: no answer came."""
    error: str | None
    """None: delivered."""
    took_ms: int


def endpoint_of(row: Any) -> Endpoint:  # noqa: ANN401 - asyncpg's Record
    """An endpoint from its row of `administering.READ`."""
    fields = dict(row)
    fields["stuck"] = orjson.loads(fields["stuck"])
    fields["positions"] = orjson.loads(fields["positions"])
    return Endpoint.model_validate(fields)
