"""outbound: what is to be said to customers on their channels. Key: `channel:account:user`."""

from __future__ import annotations

from uuid import UUID

from schemas.base import Channel, ConversationKey, InsideModel, Moment, PageId, Slug
from schemas.messages import MessageAttachment


class Send(InsideModel):
    """One message for the channel, once: `message` is its idempotency key there."""

    workspace: Slug
    desk: Slug
    conversation: UUID
    key: ConversationKey
    page: PageId
    channel: Channel
    message: UUID
    position: int
    sender: str
    """Who wrote it, as `actor` of his action."""
    text: str | None = None
    attachments: tuple[MessageAttachment, ...] = ()
    reply_to: str | None = None
    """The channel's id of the message that it answers."""
    last_customer_at: Moment | None
    """When the customer last wrote: channels allow answers for so long after it."""
    at: Moment
