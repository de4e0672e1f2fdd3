"""inbound: what customers say, as a channel's connector publishes it. Key: `channel:account:user`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from schemas.base import (
    ATTACHMENTS_MAX,
    NO_CONTROL_PATTERN,
    NO_NUL_PATTERN,
    Account,
    Channel,
    ChannelMessageId,
    EdgeModel,
    FileId,
    Json,
    Name,
    Slug,
    Text,
    Url,
    User,
)
from schemas.ids import conversation_key, page_id
from schemas.tickets import NUMBER_MAX

SentAtMs = Annotated[int, Field(ge=0, le=253_402_300_799_999)]
"""The channel's own clock, milliseconds since 1970: kept as data, never used for order."""


def _real_day(text: str) -> str:
    date.fromisoformat(text)
    return text


Birthday = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_real_day)]
"""A day as `1994-05-17`."""


class Attachment(EdgeModel):
    """A picture, a sound, a file, a place: what a customer sent beside text."""

    type: Annotated[str, Field(min_length=1, max_length=40, pattern=NO_CONTROL_PATTERN)]
    url: Url | None = None
    name: Name | None = None
    latitude: float | None = None
    longitude: float | None = None
    file: FileId | None = None
    """Instead of `url`: a visitor of a website has sent it here before."""


class InboundRecord(EdgeModel):
    """What every inbound record says: which customer of which page, and the channel's own event."""

    channel: Channel
    account: Account
    user: User
    workspace: Slug | None = None
    """Optional: the page's owner is known; when it is given and another, the record is refused."""
    sent_at_ms: SentAtMs | None = None
    raw: Json = None
    """The channel's own event, as it came."""

    @property
    def key(self) -> str:
        """The record's Kafka key."""
        return conversation_key(self.channel, self.account, self.user)

    @property
    def page(self) -> str:
        return page_id(self.channel, self.account)


class Referral(EdgeModel):
    """What brought a customer: a link of the page, an advertisement."""

    source: Annotated[str, Field(max_length=100, pattern=NO_NUL_PATTERN)] | None = None
    """The channel's word, e.g. `SHORTLINK`, `ADS`, `oa_profile`."""
    ref: Annotated[str, Field(max_length=2_000, pattern=NO_NUL_PATTERN)] | None = None
    """What the page wrote into its link."""
    ad_id: Annotated[str, Field(max_length=128, pattern=NO_NUL_PATTERN)] | None = None
    title: Name | None = None
    """Of the advertisement."""


class Introduced(InboundRecord):
    """What may tell, beside what it says, who the customer is."""

    customer_name: Name | None = None
    """On the channel."""
    customer_picture: Url | None = None
    referral: Referral | None = None


class InboundUtterance(Introduced):
    """What is stored in the transcript."""

    channel_message_id: ChannelMessageId
    """Unique on its page: a second record with it is a duplicate and changes nothing."""
    text: Text | None = None
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=ATTACHMENTS_MAX, strict=False)] = ()
    language: Annotated[str, Field(max_length=20)] | None = None
    """As the channel states it, e.g. `vi`."""
    standby: bool = False
    """Another app answers there: unless a session is open, nobody is asked to."""
    history: bool = False
    """Fetched from the channel afterwards, said at `sent_at_ms`: nobody is asked or told."""


_SAYS_SOMETHING: JsonDict = {
    "anyOf": [
        {"required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}},
        {"required": ["attachments"], "properties": {"attachments": {"type": "array", "minItems": 1}}},
    ]
}


class Message(InboundUtterance):
    """A customer wrote: text, attachments or both."""

    model_config = ConfigDict(json_schema_extra=_SAYS_SOMETHING)  # says_something, for the contract

    payload: Annotated[str, Field(max_length=2_000, pattern=NO_NUL_PATTERN)] | None = None
    """Of the quick reply that was pressed instead of writing its text."""
    reply_to: ChannelMessageId | None = None
    """Which message it answers, as the channel calls it."""

    @model_validator(mode="after")
    def says_something(self) -> Message:
        if not self.text and not self.attachments:
            raise ValueError("a message needs text or at least one attachment")
        return self


class Postback(InboundUtterance):
    """A customer pressed a button; `text` is its title."""

    payload: Annotated[str, Field(max_length=2_000, pattern=r"^[^\x00]*$")]


class Echo(InboundUtterance):
    """The page's side spoke outside of Tongdai."""

    author: Literal["bot", "human"]
    """`human`: somebody answered in the channel's own inbox."""
    author_id: Annotated[str, Field(max_length=128, pattern=r"^[^\x00]*$")] | None = None
    marker: Annotated[str, Field(max_length=1_000, pattern=r"^[^\x00]*$")] | None = None
    """What its sender gave the channel to be returned here; by it we know what we have sent ourselves."""


class Reply(InboundUtterance):
    """A customer answered what came out of a ticket: beside the channel, so it opens no session there."""

    ticket: Annotated[int, Field(ge=1, le=NUMBER_MAX)]
    """To which it leads that he answered."""
    sender: Annotated[str, Field(max_length=320, pattern=NO_NUL_PATTERN)]
    """The address, or the number, that it says it comes from."""


class Mail(Reply):
    """A customer answered an e-mail of a ticket: beside the channel, so it opens no session there."""

    subject: Annotated[str, Field(max_length=500, pattern=NO_NUL_PATTERN)] = ""


class Sms(Reply):
    """A customer answered an SMS of a ticket, likewise."""


class Reaction(InboundRecord):
    """Somebody has put a sign to a message, or taken it back."""

    of: ChannelMessageId
    """Which message, as the channel calls it."""
    by: Literal["customer", "page"] = "customer"
    emoji: Annotated[str, Field(min_length=1, max_length=64, pattern=NO_CONTROL_PATTERN)] | None = None
    """None: it was taken back."""


class Edit(InboundRecord):
    """Somebody has written a message of his anew."""

    of: ChannelMessageId
    text: Text
    number: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """How often it was edited: one with a lower number comes too late."""


class Profile(Introduced):
    """What a customer, or the channel, tells of him. It fills what is not known, and overwrites nothing."""

    name: Name | None = None
    """As he gives it himself."""
    phone: Annotated[str, Field(min_length=1, max_length=40, pattern=NO_CONTROL_PATTERN)] | None = None
    phone_verified: bool = False
    """The channel vouches that the number is his, as of a number that he shared from his account there."""
    email: Annotated[str, Field(min_length=1, max_length=254, pattern=NO_CONTROL_PATTERN)] | None = None
    birthday: Birthday | None = None
    gender: Literal["female", "male", "other"] | None = None
    address: Annotated[str, Field(min_length=1, max_length=500, pattern=NO_NUL_PATTERN)] | None = None
    follows: bool | None = None
    """Whether he follows the account from now on, where the channel has that."""
    interaction: bool = False
    """He has just done this himself, and his channel takes answers for a while then, as after a message."""


class Left(InboundRecord):
    """A customer has left: his open session ends, unless he has written meanwhile.

    Of channels that see customers come and go, as a website's chat does.
    """

    gone_ms: Annotated[int, Field(ge=0, le=31 * 24 * 60 * 60 * 1000)]
    """For at least so long when this is published: what he wrote since says that he is back."""


class Returned(InboundRecord):
    """A customer who had left is there again; of the same channels. Told to who follows his conversation."""


class Other(InboundRecord):
    """Something that no handler reads yet; counted and skipped."""

    event: Annotated[str, Field(min_length=1, max_length=100)]
    """The channel's name of it."""
