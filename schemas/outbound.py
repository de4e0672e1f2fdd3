"""outbound: what is to be said to customers on their channels, and what of it was seen there.

Key: `channel:account:user`.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from schemas.base import Channel, ChannelMessageId, ConversationKey, InsideModel, Moment, PageId, Slug
from schemas.messages import MessageAttachment, Shared
from schemas.receipts import CarriedReason, CarriedState

MeansName = Literal["mail", "sms", "call"]
"""By which tickets are worked on beside the channel."""


class Outbound(InsideModel):
    """What each says of its place: whose conversation, and on which page."""

    workspace: Slug
    desk: Slug
    conversation: UUID
    key: ConversationKey
    page: PageId


class Send(Outbound):
    """One message for the channel, once: `message` is its idempotency key there."""

    channel: Channel
    message: UUID
    position: int
    sender: str
    """Who wrote it, as `actor` of his action."""
    text: str | None = None
    attachments: tuple[MessageAttachment, ...] = ()
    asks: tuple[Shared, ...] = ()
    """What the customer is asked to share with it."""
    reply_to: str | None = None
    """The channel's id of the message that it answers."""
    last_customer_at: Moment | None
    """When the customer last wrote: channels allow answers for so long after it."""
    at: Moment


class Mail(Outbound):
    """One e-mail to the customer about a ticket, once: `message` is in its Message-ID."""

    message: UUID
    position: int
    sender: str
    """Who wrote it, as `actor` of his action."""
    ticket: int
    to: str
    """The customer's address."""
    subject: str
    text: str
    attachments: tuple[MessageAttachment, ...] = ()
    at: Moment


class Sms(Outbound):
    """One SMS to the customer about a ticket, once: `message` is its idempotency key at the provider."""

    message: UUID
    position: int
    sender: str
    """Who wrote it, as `actor` of his action."""
    ticket: int
    to: str
    """The customer's number, as `+84912345678`."""
    text: str
    at: Moment


class Call(Outbound):
    """One call about a ticket, once: the provider rings the agent, and then the customer."""

    message: UUID
    position: int
    sender: str
    """Who asked for it, as `actor` of his action."""
    ticket: int
    to: str
    """The customer's number, as `+84912345678`."""
    agent_phone: str
    """Where the agent is rung, likewise."""
    at: Moment


class EchoTimer(InsideModel):
    """The time for a message's echo is over: what the channel has shown before stands before this here."""

    workspace: Slug
    conversation: UUID
    key: ConversationKey
    message: UUID
    version: int
    """Of how the message stood; ignored when it has changed since."""
    due_at: Moment


class LookUp(Outbound):
    """Who is the customer? His channel is to be asked for his name and his picture, unless it was lately."""

    at: Moment


class Echoed(Outbound):
    """The channel has shown a message of ours: whatever became of the call, it was sent."""

    message: UUID
    part: int
    """Which part of it, from 0."""
    channel_message_id: ChannelMessageId
    at: Moment


class Carried(InsideModel):
    """What a connector has told on receipts of an answer, put behind that answer."""

    workspace: Slug
    conversation: UUID
    key: ConversationKey
    message: UUID
    state: CarriedState
    reason: CarriedReason | None = None
    """Of what has failed."""
    channel_message_id: ChannelMessageId
    at: Moment
    """When the channel had it, as far as the connector tells."""
