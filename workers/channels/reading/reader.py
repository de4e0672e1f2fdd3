"""The interface of a channel's reader: one call each, and what was found or why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Protocol

from schemas.base import Channel
from schemas.inbound import InboundRecord, Profile
from workers.channels.delivery.result import Failed
from workers.channels.reading.place import Place


class Access(NamedTuple):
    """In whose name is asked. A secret is in it: it is never logged."""

    account: str
    """The page's id on its channel."""
    token: str
    app: str | None


class Found(NamedTuple):
    """Older messages, the oldest first, and where the next ones are."""

    records: Sequence[InboundRecord]
    place: Place


class Reader(Protocol):
    """One channel's API, as far as it is read. Its calls raise nothing but CancelledError."""

    channel: ClassVar[Channel]

    async def profile(self, access: Access, user: str) -> Profile | Failed:
        """Who a customer is."""

    async def history(self, access: Access, place: Place) -> Found | Failed:
        """The older messages of one call at `place`, which is not the end."""
