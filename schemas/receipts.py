"""receipts: how messages to customers fare on their channels. Key: `channel:account:user`.

`delivery` says how one message of ours stands now, as the delivery worker knows it, `page_stands` whether
anything is sent for its page; `arrival` is what a channel tells of messages that it has had: delivered, or
read.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from schemas.base import (
    NO_CONTROL_PATTERN,
    OUR_CHANNELS,
    Channel,
    ChannelMessageId,
    ConversationKey,
    InsideModel,
    Moment,
    PageId,
    Slug,
)
from schemas.inbound import InboundRecord, SentAtMs

ARRIVED_MAX = 1_000
DURATION_MAX_S = 7 * 24 * 60 * 60
DeliveryState = Literal[
    "queued", "sent", "delivered", "read", "failed", "unknown", "ringing", "answered", "ended"
]
"""`unknown`: it was given to the channel, which has not said what became of it. The last three: of calls."""
OutreachState = Literal["sent", "delivered", "ringing", "answered", "ended", "failed"]
ArrivalState = Literal["delivered", "read"]
CarriedState = Literal["sent", "delivered", "read", "failed"]
CarriedReason = Literal[
    "window_closed",
    "too_long",
    "unsupported",
    "unreachable",
    "rejected",
    "other_app",
    "policy",
    "attachment_gone",
    "page_blocked",
    "channel_down",
    "no_answer",
]
"""Those of `DeliveryReason` that a connector may give."""
DeliveryReason = Literal[
    "window_closed",  # the channel takes no answer so long after the customer's last message
    "window_paid",  # it would take one for money, and the page does not pay
    "too_long",  # longer than the channel takes, and the page does not split
    "unsupported",  # the channel takes no such attachment
    "files_not_set",  # nobody has set the address at which the channel could fetch a file of ours
    "unreachable",  # the customer has left, blocked the page, or was never there
    "rejected",  # the channel does not take this message
    "other_app",  # a bot, or another app, has the conversation there
    "policy",  # the channel's policy forbids it
    "billing",  # the channel account has no money or quota for it
    "attachment_gone",  # the attachment can no longer be had
    "not_connected",  # nobody has given the page's token
    "token_broken",  # the page's token is not valid any more
    "permission_missing",  # the page's token does not allow sending
    "page_blocked",  # the channel has blocked the page
    "page_restricted",  # the channel has restricted the page for a time
    "rate_limited",  # too much is sent for the moment
    "channel_down",  # the channel does not answer, or has an error of its own
    "no_answer",  # given away, and nothing came back
    "too_many",  # too many answers wait in the conversation
    "mail_not_set",  # nobody has set how e-mail is sent for the page
    "mail_address",  # the mail server refuses the customer's address
    "mail_refused",  # the mail server refuses the e-mail
    "mail_too_large",  # the mail server takes none that is so large
    "mail_later",  # the mail server wants it again later
    "mail_login",  # the mail server refuses the page's login
    "mail_down",  # the mail server cannot be reached, or not safely
    "mail_bounced",  # another mail server on its way has given it up
    "phone_not_set",  # nobody has set how SMS and calls are made for the page
    "phone_number",  # the provider does not reach this number, or it may not be written to
    "phone_refused",  # the provider refuses it
    "phone_later",  # the provider wants it again later
    "phone_login",  # the provider refuses the account
    "phone_balance",  # the account has no money left
    "phone_down",  # the provider cannot be reached, or has an error of its own
    "phone_limit",  # the agent, or the page, has sent too much within the hour
    "phone_late",  # it has waited for so long that it is not sent any more
    "sms_undelivered",  # the customer's phone has not taken it
    "call_agent",  # the agent's own phone was not answered
    "call_no_answer",  # the customer has not answered
    "call_busy",  # the customer was talking, or has declined
    "call_failed",  # the call could not be made
    "erased",  # the customer was erased before it was sent
]
"""Why a message waits, has failed or is unknown."""


class Delivery(InsideModel):
    """How one message stands now. Each change has its `version`, the highest is the newest."""

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
    state: DeliveryState
    reason: DeliveryReason | None = None
    parts: int
    """How many the channel was to be given: a long text and each attachment are parts of their own."""
    channel_message_ids: tuple[str, ...] = ()
    """The channel's ids of the parts that it has taken, in their order."""
    duration_s: int | None = None
    """Of a call that has ended: for how long both have talked."""
    version: int
    at: Moment


class PageStands(InsideModel):
    """Whether what is said for a page is sent: told when it is paused, for another reason, or goes on.

    Told in the conversation with whose message it was found; it holds for the whole page.
    """

    workspace: Slug
    desk: Slug
    conversation: UUID
    key: ConversationKey
    page: PageId
    channel: Channel
    paused: DeliveryReason | None
    """Why nothing is sent; none: it goes on."""
    at: Moment


class Arrival(InboundRecord):
    """A channel tells that messages have reached the customer, or that he has read them."""

    state: ArrivalState
    channel_message_ids: Annotated[
        tuple[ChannelMessageId, ...], Field(max_length=ARRIVED_MAX, strict=False)
    ] = ()
    until_ms: SentAtMs | None = None
    """All that was sent to the customer up to this moment, by the channel's clock."""


class Carried(InboundRecord):
    """A connector tells how an answer fares that it carries to its channel; the furthest counts."""

    message: Annotated[UUID, Field(strict=False)]
    """As `send` on outbound names it."""
    state: CarriedState
    """`failed`: it was never sent, and nothing more is tried."""
    reason: CarriedReason | None = None
    """Of what has failed; without one the channel has refused it."""
    channel_message_id: ChannelMessageId | None = None
    """How the channel calls it, by which customers quote it; of several parts the last one's."""

    @model_validator(mode="after")
    def is_carried_by_a_connector(self) -> Carried:
        if self.channel in OUR_CHANNELS:
            raise ValueError(
                f"what is said on {self.channel} is sent by the delivery worker, by no connector"
            )
        if self.reason is not None and self.state != "failed":
            raise ValueError("only what has failed has a reason")
        return self


class Outreach(InboundRecord):
    """Who carries on an e-mail, an SMS or a call of ours tells how it fares; the furthest counts."""

    message: Annotated[UUID, Field(strict=False)]
    state: OutreachState
    reason: DeliveryReason | None = None
    """Of what has failed."""
    duration_s: Annotated[int, Field(ge=0, le=DURATION_MAX_S)] | None = None
    provider_id: Annotated[str, Field(min_length=1, max_length=128, pattern=NO_CONTROL_PATTERN)] | None = None
    """What the provider calls it."""
