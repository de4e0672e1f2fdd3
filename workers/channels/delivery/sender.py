"""The interface of a channel's sender: one part of one message, once, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple, Protocol
from uuid import UUID

from schemas.base import Channel
from schemas.messages import MessageAttachment
from schemas.receipts import DeliveryReason
from workers.channels.delivery.parts import Part
from workers.channels.delivery.result import Result
from workers.files.file import File

Copying = Callable[[], AbstractAsyncContextManager[Path]]
"""A copy of a file on this machine, for as long as the block lasts; raises StorageDownError, NoCopyError."""


class NoCopyError(Exception):
    """There is no smaller copy of a file, and there will be none."""


class Enclosed(NamedTuple):
    """An attachment, as it is given to a channel."""

    attachment: MessageAttachment
    """Its `url` is where the channel may fetch it: none, when nothing of ours can be reached from outside."""
    file: File | None = None
    """What is known of it; none: it is none of ours."""
    copying: Copying | None = None
    copying_smaller: Copying | None = None
    """The same of the smaller copy of a picture that needs one."""


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
    enclosed: Enclosed | None = None
    """The attachment, when the part is one."""


def refusal_by_link(enclosed: Enclosed, types: Collection[str]) -> DeliveryReason | None:
    """The same of a channel that fetches attachments of some types at their addresses."""
    if enclosed.attachment.type not in types:
        return "unsupported"
    if enclosed.attachment.url is not None:
        return None
    return "unsupported" if enclosed.file is None else "files_not_set"


class Sender(Protocol):
    """One channel's way out."""

    channel: ClassVar[Channel]
    text_max: ClassVar[int]
    """Characters of one text."""
    taken: ClassVar[str]
    """The kinds of files that it takes, for people."""

    @staticmethod
    def takes(file: File) -> bool:
        """Whether the channel takes a file of ours, as far as its kind and its size tell."""

    def refusal(self, enclosed: Enclosed) -> DeliveryReason | None:
        """Why the channel cannot be given such an attachment; none: it takes it."""

    async def send(self, call: Call) -> Result:
        """Give one part to the channel. Raises nothing but CancelledError."""
