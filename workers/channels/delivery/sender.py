"""The interface of a channel's sender: one part of one message, once, and what became of it."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple, Protocol
from uuid import UUID

from schemas.base import Channel
from schemas.messages import MessageAttachment
from workers.channels.delivery.parts import Part
from workers.channels.delivery.result import Result


class Call(NamedTuple):
    """What one call says. Texts and tokens are in it: it is never logged."""

    account: str
    """The page's id on its channel."""
    access_token: str
    app: str | None
    user: str
    message: UUID
    part: Part
    reply_to: str | None = None
    """The channel's id of the message that it answers."""
    tag: Literal["HUMAN_AGENT"] | None = None


class Sender(Protocol):
    """One channel's way out."""

    channel: ClassVar[Channel]
    text_max: ClassVar[int]
    """Characters of one text."""

    def takes(self, attachment: MessageAttachment) -> bool:
        """Whether the channel takes such an attachment."""

    async def send(self, call: Call) -> Result:
        """Give one part to the channel. Raises nothing but CancelledError."""
