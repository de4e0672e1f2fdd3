"""Tickets: what an admin lets them say, what an agent changes of one, and what messages tells of it."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from schemas.base import (
    NO_CONTROL_PATTERN,
    NO_NUL_PATTERN,
    ConversationKey,
    InsideModel,
    Moment,
    Name,
    PageId,
    Slug,
)

FIELDS_MAX = 50
CHOICES_MAX = 200
VALUE_CHARS_MAX = 2_000
SUBJECT_CHARS_MAX = 200
NUMBER_MAX = 2**31 - 1

TicketStatus = Literal["draft", "open", "pending", "closed"]
"""`draft`: of a session in which no agent has had a part yet."""
StatusByHand = Literal["open", "pending", "closed"]
FieldType = Literal["text", "number", "date", "choice", "yes_no"]
Choice = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NO_CONTROL_PATTERN)]
Number = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
FieldText = Annotated[str, StringConstraints(max_length=VALUE_CHARS_MAX, pattern=NO_NUL_PATTERN)]
FieldValue = bool | Annotated[int, Field(ge=-(10**15), le=10**15)] | Number | FieldText
"""By its field's type: a date as `2026-11-22`, `yes_no` as true or false."""
Subject = Annotated[
    str,
    StringConstraints(max_length=SUBJECT_CHARS_MAX, pattern=rf"^$|{NO_CONTROL_PATTERN}"),
]
MailSubject = Annotated[
    str, StringConstraints(min_length=1, max_length=SUBJECT_CHARS_MAX, pattern=NO_CONTROL_PATTERN)
]
TicketNumber = Annotated[int, Field(ge=1, le=NUMBER_MAX)]


class TicketField(InsideModel):
    """What a ticket can say beside its subject."""

    id: Slug
    name: Name
    type: FieldType = "text"
    required: bool = False
    """A ticket without it cannot be closed."""
    choices: Annotated[tuple[Choice, ...], Field(max_length=CHOICES_MAX)] = ()
    """Of `choice`: one of these."""
    chars_max: Annotated[int, Field(ge=1, le=VALUE_CHARS_MAX)] | None = None
    """Of `text`; none: 2,000."""
    least: Number | None = None
    most: Number | None = None
    """Of `number`."""


def mistake_of(field: TicketField) -> str | None:
    """Why `field` cannot be used, in words; none when it can."""
    if (field.type == "choice") != bool(field.choices):
        return "a field of type choice has choices, and no other has"
    if field.chars_max is not None and field.type != "text":
        return "only a text has chars_max"
    if (field.least is not None or field.most is not None) and field.type != "number":
        return "only a number has least and most"
    if field.least is not None and field.most is not None and field.least > field.most:
        return "its least is more than its most"
    return None


TicketFields = Annotated[tuple[TicketField, ...], Field(max_length=FIELDS_MAX)]


class TicketChange(InsideModel):
    """What is given changes; an empty subject and a null field are cleared."""

    subject: Subject | None = None
    fields: Annotated[dict[Slug, FieldValue | None], Field(max_length=FIELDS_MAX)] = Field(
        default_factory=dict
    )


class TicketChanged(InsideModel):
    """On messages: a ticket was made, opened or changed. A draft is not told before somebody changes it."""

    workspace: Slug
    desk: Slug
    conversation: UUID
    key: ConversationKey
    page: PageId
    ticket: int
    """1, 2, 3, … in the conversation."""
    session: int
    first_position: int
    """Of the transcript: what it is about begins here."""
    status: TicketStatus
    former_status: TicketStatus | None
    """None: it was not there before."""
    subject: str
    fields: dict[str, FieldValue]
    agent: Slug | None
    """Who was given the conversation last in its session."""
    by: str | None
    """None: by itself."""
    at: Moment
