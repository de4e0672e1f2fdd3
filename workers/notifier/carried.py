"""What an `assigned` notice carries: read from the transcript, since it is stored before it is published."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from schemas.notifications import NoticeMessage


class Carried(NamedTuple):
    """The customer's side of the transcript around the moment of one `assigned` event.

    Counted are customer messages from the first of the event's session on.
    """

    message: NoticeMessage | None
    """The customer's latest, at or before `after_position`."""
    known: int
    """How many at or before `after_position`."""
    beyond: Sequence[int] = ()
    """Positions of those behind it, rising, as far as the notifier may have applied them."""

    def unread(self, position: int) -> int:
        """How many at or before `position`, which is not before `after_position`."""
        return self.known + bisect_right(self.beyond, position)

    def last_position(self, position: int) -> int:
        """The position of the customer's latest message at or before `position`; 0: none."""
        behind = bisect_right(self.beyond, position)
        if behind:
            return self.beyond[behind - 1]
        return self.message.position if self.message else 0


NOTHING_CARRIED = Carried(None, 0)
