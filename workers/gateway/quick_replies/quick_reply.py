"""A quick reply, as admins write it and agents use it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from schemas.base import ATTACHMENTS_MAX, NO_CONTROL_PATTERN, NO_NUL_PATTERN, Moment, Slug
from schemas.ids import DEFAULT_DESK
from schemas.messages import MessageAttachment
from schemas.tickets import TicketChange
from workers.gateway.quick_replies.variables import mistakes

QUICK_REPLIES_MAX = 1_000
"""Of one workspace."""
BODY_CHARS_MAX = 8_000
"""Twenty variables of 500 characters make at most 10,000 more: a message has 20,000."""

Body = Annotated[str, StringConstraints(max_length=BODY_CHARS_MAX, pattern=NO_NUL_PATTERN)]
Type = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_CONTROL_PATTERN)]
Description = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Department(BaseModel):
    """A department of a desk."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Slug
    desk: Slug = DEFAULT_DESK


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Type
    """By which they are sorted in the composer, such as `Chào hỏi`."""
    description: Description = ""
    body: Body = ""
    """With variables such as `{{customerName}}`."""
    attachments: Annotated[tuple[MessageAttachment, ...], Field(max_length=ATTACHMENTS_MAX)] = ()
    department: Department | None = None
    """Only its agents may use it; none: all agents may."""
    ticket: TicketChange | None = None
    """What it changes of the conversation's last ticket, when the message is accepted."""


class QuickReplyBody(_Said):
    """A quick reply that is to be."""

    @field_validator("body")
    @classmethod
    def _has_known_variables(cls, body: str) -> str:
        if found := next(mistakes(body), None):
            raise ValueError(found)
        return body

    @model_validator(mode="after")
    def _says_something(self) -> QuickReplyBody:
        if not self.body.strip() and not self.attachments:
            raise ValueError("a quick reply has a body or an attachment")
        return self


class QuickReply(_Said):
    """A quick reply, as it was written: also when less would be allowed by now."""

    id: Slug
    changed_by: str
    changed_at: Moment


class QuickReplies(BaseModel):
    """Part of the list, by their ids."""

    quick_replies: tuple[QuickReply, ...]
    next: str | None
    """What to give as `after` for the next part; none: this was the last."""


class Expanded(BaseModel):
    """What the composer is given. Nothing was sent and nothing changed."""

    text: str
    empty: tuple[str, ...]
    """Variables of which nothing is known: they left nothing in the text."""
    attachments: tuple[MessageAttachment, ...]
    ticket: TicketChange | None
    """To be sent with the message, as its `ticket`: it changes when the message is accepted."""
