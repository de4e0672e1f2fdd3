"""One agent at one conversation: how far he has read, and what he has not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workers.notifier.carried import Carried


@dataclass(slots=True)
class Seat:
    """What a row of `inbox` holds beside who follows and who holds. Positions, epochs and times only rise."""

    read_to: int = 0
    """His unread messages are the customer's behind it, as far as he holds or follows the conversation."""
    unread: int = 0
    epoch: int = 0
    last_position: int = 0
    at: datetime | None = None
    """None: not stored yet and not changed."""
    changed: bool = False

    def touch(self, epoch: int, at: datetime) -> None:
        """Something has changed for him."""
        self.epoch = max(self.epoch, epoch)
        self.at = max(self.at, at) if self.at else at
        self.changed = True

    def hear(self, position: int) -> None:
        """Count a message of the customer."""
        if position > self.read_to:
            self.unread += 1
        self.last_position = max(self.last_position, position)

    def sit(self, carried: Carried, upto: int) -> None:
        """Begin to count, or begin anew, with what the transcript says up to position `upto`."""
        self.read_to = max(self.read_to, carried.read_to)
        self.unread = carried.unread(self.read_to, upto)
        self.last_position = max(self.last_position, carried.last_position(upto))

    def leave(self) -> None:
        """He neither holds nor follows it any more; how far he has read stays known."""
        self.unread = 0
