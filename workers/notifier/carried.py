"""What the transcript says around one event: it is stored before anything of it is published."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from schemas.notifications import NoticeMessage


class Carried(NamedTuple):
    """The customer's side of the transcript for one agent at one event."""

    message: NoticeMessage | None
    """The customer's latest, at or before the event's `after_position`."""
    read_to: int = 0
    """What the agent has read, or need not read, at least."""
    positions: Sequence[int] = ()
    """Of the customer's messages behind it, rising, as far as the notifier may apply them."""

    def unread(self, read_to: int, upto: int) -> int:
        """How many behind `read_to`, which is not before the one here, are at or before `upto`."""
        return max(bisect_right(self.positions, upto) - bisect_right(self.positions, read_to), 0)

    def last_position(self, upto: int) -> int:
        """The position of the customer's latest message at or before `upto`; 0: none."""
        behind = bisect_right(self.positions, upto)
        if behind:
            return self.positions[behind - 1]
        return self.message.position if self.message and self.message.position <= upto else 0


NOTHING_CARRIED = Carried(None)
