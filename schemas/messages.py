"""messages: every utterance and log line of every transcript, once, in order. Key: `channel:account:user`."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from schemas.base import (
    NO_CONTROL_PATTERN,
    Channel,
    ConversationKey,
    InsideModel,
    Moment,
    Name,
    PageId,
    Slug,
    Url,
)

Sender = Literal["customer", "agent", "bot", "system"]
MessageKind = Literal["text", "attachment", "postback", "log", "note"]
"""`note`: of agents among themselves; customers never see it."""


class MessageAttachment(InsideModel):
    """See schemas.inbound.Attachment."""

    type: Annotated[str, Field(min_length=1, max_length=40, pattern=NO_CONTROL_PATTERN)]
    url: Url | None = None
    name: Name | None = None
    latitude: float | None = None
    longitude: float | None = None


class Stored(InsideModel):
    """A message has its place in a transcript."""

    workspace: Slug
    desk: Slug
    conversation: UUID
    key: ConversationKey
    page: PageId
    channel: Channel
    message: UUID
    position: int
    """1, 2, 3, … in the transcript, without gaps."""
    session: int
    sender: Sender
    sender_id: str | None = None
    kind: MessageKind
    text: str | None = None
    attachments: tuple[MessageAttachment, ...] = ()
    code: str | None = None
    """A log line's code (`assigned`, `queued`, …): it is worded for its reader on reading."""
    params: dict[str, Any] | None = None
    channel_message_id: str | None = None
    sent_at: Moment | None = None
    """The channel's own time: data."""
    clock_ahead: bool = False
    """The channel's own time lies more than five minutes after the log's."""
    mentions: tuple[Slug, ...] = ()
    """Agents whom a note names."""
    history: bool = False
    """Fetched from the channel afterwards: nobody is notified."""
    stored_at: Moment
    """The log's time: what order and limits go by."""
    seq: int
    """The last assignment event of the conversation that the transcript had applied; 0 before the first."""
    epoch: int
    """How often the holder had changed at that `seq`."""


class Read(InsideModel):
    """`agent` has read the transcript up to `position`."""

    workspace: Slug
    desk: Slug
    conversation: UUID
    key: ConversationKey
    page: PageId
    agent: Slug
    position: int
    at: Moment
    seq: int
    """The last assignment event that the transcript had applied."""
    epoch: int


class CustomerChanged(InsideModel):
    """Profile, tags or groups of the conversation's customer changed: how they stand from here on."""

    workspace: Slug
    desk: Slug
    conversation: UUID
    key: ConversationKey
    page: PageId
    profile: dict[str, str]
    tags: tuple[str, ...]
    groups: tuple[str, ...]
    by: str | None
    at: Moment
