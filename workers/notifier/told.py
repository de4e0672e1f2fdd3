"""What one agent, or an audience, is told of one event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from schemas.assignments import ChainEvent
from schemas.messages import Read, Returned, Stored
from schemas.notifications import NoticeMessage
from schemas.receipts import Delivery, PageStands

NOTHING_MORE: Mapping[str, Any] = {}


class Told(NamedTuple):
    """One agent is to be told of one event.

    It is `about` a change, a message, a read mark, a return or an answer that has failed.
    """

    what: str
    """The kind of notice."""
    cause: UUID
    about: ChainEvent | Stored | Read | Returned | Delivery
    agent: str
    epoch: int
    unread: int
    message: Stored | NoticeMessage | None = None
    more: Mapping[str, Any] = NOTHING_MORE
    """What notices of this kind say beyond the others; those that are none are left out."""
    followed_to: int = 0
    """Of what names no chain number: how far the chain was followed."""

    @property
    def seq(self) -> int:
        """The chain number that it speaks of."""
        return self.followed_to if isinstance(self.about, Delivery | Returned) else self.about.seq


class Announced(NamedTuple):
    """An audience is to be told of one event: of a change, or of how a page stands."""

    what: str
    cause: UUID
    about: ChainEvent | PageStands
    audience: str
    more: Mapping[str, Any]
    came_to: tuple[int, int] = (0, 0)
    """Of what names no chain number: how far the chain was followed, and the epoch there."""

    @property
    def place(self) -> tuple[int, int]:
        """The chain number that it speaks of, and its epoch."""
        about = self.about
        return self.came_to if isinstance(about, PageStands) else (about.seq, about.epoch)


Telling = Told | Announced
