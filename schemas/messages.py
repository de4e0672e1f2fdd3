"""messages: every utterance and log line of every transcript, once, in order. Key: `channel:account:user`."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from schemas.base import (
    NO_CONTROL_PATTERN,
    Channel,
    ConversationKey,
    FileId,
    InsideModel,
    Moment,
    Name,
    PageId,
    Slug,
    Url,
)
from schemas.inbound import Referral

Sender = Literal["customer", "agent", "bot", "system"]
MessageKind = Literal["text", "attachment", "postback", "log", "note", "mail", "sms", "call"]
"""`note`: of agents among themselves; customers never see it. `mail`, `sms`, `call`: of a ticket, beside the
channel."""


Shared = Literal["name", "phone", "email"]
"""What a customer may be asked to share of himself."""


class MessageAttachment(InsideModel):
    """See schemas.inbound.Attachment."""

    type: Annotated[str, Field(min_length=1, max_length=40, pattern=NO_CONTROL_PATTERN)]
    url: Url | None = None
    name: Name | None = None
    latitude: float | None = None
    longitude: float | None = None
    file: FileId | None = None


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
    """Fetched from the channel afterwards, of session 0: nobody is notified. Shown before the rest."""
    blocked: bool = False
    """Its customer was kept out when it came: kept, and told to no agent."""
    stored_at: Moment
    """The log's time: what order and limits go by."""
    seq: int
    """The last assignment event of the conversation that the transcript had applied; 0 before the first."""
    epoch: int
    """How often the holder had changed at that `seq`."""


class Returned(InsideModel):
    """The customer is back: on the website, or with the first message of another session."""

    workspace: Slug
    desk: Slug
    conversation: UUID
    key: ConversationKey
    page: PageId
    session: int
    """The last one so far."""
    at: Moment
    seq: int
    """The last assignment event that the transcript had applied."""
    epoch: int


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


Mark = Literal["edit", "customer_reaction", "page_reaction"]


class Marked(InsideModel):
    """A message was edited, or has a reaction; its line in the transcript stays as it is."""

    workspace: Slug
    desk: Slug
    conversation: UUID
    key: ConversationKey
    page: PageId
    channel_message_id: str
    """Which message, as the channel calls it: the customer's, or one of those that delivery has sent."""
    mark: Mark
    value: str | None
    """The text as it is now; the sign of the reaction, none when it was taken back."""
    number: int
    """How often it was edited; 0 for reactions."""
    at: Moment
    blocked: bool = False
    """Done by a customer who is kept out: told to no agent."""


class CustomerChanged(InsideModel):
    """What is known of the conversation's customer changed: how it stands from here on."""

    workspace: Slug
    desk: Slug
    conversation: UUID
    key: ConversationKey
    page: PageId
    profile: dict[str, str]
    channel_name: Name | None = None
    """His name on the channel, as last told; `profile` has the one in our system."""
    verified_phone: str | None = None
    """A number that his channel vouches for."""
    tags: tuple[str, ...]
    groups: tuple[str, ...]
    suggested_phone: str | None = None
    """In what he wrote; an agent may take it over."""
    picture: Url | None = None
    follows: bool | None = None
    """Whether he follows the account, where the channel tells."""
    referral: Referral | None = None
    """What brought him last."""
    by: str | None
    """Who changed it; none: the channel, or what the customer wrote."""
    at: Moment
