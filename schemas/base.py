"""What every model has in common, and the small types that models share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from schemas.accents import without_towers

CHANNEL_PATTERN = r"^[a-z][a-z0-9-]{0,31}$"
SLUG_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
NO_CONTROL_PATTERN = r"^[^\x00-\x1f\x7f]+$"
NO_COLON_PATTERN = r"^[^\x00-\x1f\x7f:]+$"
NO_NUL_PATTERN = r"^[^\x00]*$"
UUID_PATTERN = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"

TEXT_CHARS_MAX = 20_000
ATTACHMENTS_MAX = 32
URL_CHARS_MAX = 4_096


def rfc3339(at: datetime) -> str:
    """`at` as RFC 3339 in UTC with milliseconds, e.g. `2026-11-22T08:15:00.250Z`."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return utc.isoformat("T", "milliseconds")[: -len("+00:00")] + "Z"


OUR_CHANNELS = ("messenger", "zalo", "web", "fchat")
"""Where Tongdai itself receives and sends. Of others a connector brings messages in, and carries answers."""
Channel = Annotated[
    str,
    StringConstraints(pattern=CHANNEL_PATTERN),
    Field(json_schema_extra={"x-extensible-enum": list(OUR_CHANNELS)}),
]
"""Where customers write: one of ours, or whatever a connector calls its own."""
Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]
"""A name people choose: workspace, desk, agent, department, rule."""
Account = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=NO_COLON_PATTERN)]
"""The page's id on its channel."""
User = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=NO_CONTROL_PATTERN)]
"""The customer's id on the page."""
PageId = Annotated[str, StringConstraints(min_length=3, max_length=160, pattern=NO_CONTROL_PATTERN)]
"""`channel:account`."""
ConversationKey = Annotated[str, StringConstraints(min_length=5, max_length=300, pattern=NO_CONTROL_PATTERN)]
"""`channel:account:user`, the Kafka key of every conversation topic."""
CHANNEL_MESSAGE_ID_CHARS_MAX = 512
ChannelMessageId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=CHANNEL_MESSAGE_ID_CHARS_MAX, pattern=NO_CONTROL_PATTERN),
]
Actor = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_CONTROL_PATTERN)]
"""Who asks: `agent:<workspace>/<id>`, `service:<id>`, `cli:<id>`."""
IdempotencyKey = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_CONTROL_PATTERN)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_CONTROL_PATTERN)]
Text = Annotated[
    str,
    StringConstraints(max_length=TEXT_CHARS_MAX, pattern=NO_NUL_PATTERN),
    AfterValidator(without_towers),
]
Url = Annotated[str, StringConstraints(min_length=1, max_length=URL_CHARS_MAX, pattern=NO_CONTROL_PATTERN)]
FileId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""A file that is kept here: see docs/attachments.md."""
Moment = Annotated[AwareDatetime, PlainSerializer(rfc3339, return_type=str, when_used="json")]
"""A point in time, RFC 3339 in UTC with milliseconds."""
EventId = Annotated[
    str, StringConstraints(pattern=UUID_PATTERN), WithJsonSchema({"type": "string", "format": "uuid"})
]
"""A UUID as text: events are told by the thousand, and an object costs more than the hash that it says."""
Json = Any
"""Whatever a channel sent."""


class EdgeModel(BaseModel):
    """A record that comes from outside: exact types, no unknown fields, so that a typo is told at once."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class InsideModel(BaseModel):
    """A record that one of our workers wrote: unknown fields are ignored, so that versions can mix."""

    model_config = ConfigDict(frozen=True, extra="ignore")
