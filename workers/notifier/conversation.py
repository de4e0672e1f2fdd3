"""How far the notifier has followed one conversation: its chain, its transcript, who is to be told."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from schemas.messages import Stored

ConversationRef = tuple[str, UUID]
"""Workspace and conversation."""


class RecipientSet(NamedTuple):
    """Who is to be told of messages that name chain number `seq`."""

    seq: int
    epoch: int
    holder: str | None
    after_position: int
    """What the holder's `assigned` notice carried: messages up to here give no notice of their own."""


class Heard(NamedTuple):
    """One record of messages: its event id, what it says, and its value as it came."""

    id: UUID
    message: Stored
    value: bytes


@dataclass(slots=True)
class Conversation:
    """A row of `notifier_conversation` with what belongs to it; a new one has followed nothing.

    `sets` is in the order of `seq`, without gaps, and ends with the one of `seq`. `held` are messages whose
    chain number has not come yet, in the order of positions.
    """

    workspace: str
    conversation: UUID
    lane: int
    is_new: bool = True
    seq: int = 0
    epoch: int = 0
    holder: str | None = None
    position: int = 0
    counted_to: int = 0
    """What the holder's unread count began with: the customer's messages of the session up to here."""
    unread: int = 0
    """Of the present holder."""
    sets: deque[RecipientSet] = field(default_factory=deque)
    stored_sets: tuple[int, int] = (1, 0)
    """First and last `seq` of the sets that the database has; last below first: none."""
    held: deque[Heard] = field(default_factory=deque)
    held_to: int = 0
    """Position of the last message held, 0: none."""
    stored_held_to: int = 0
    """The same, of what the database has."""
    released_to: int = 0
    """Position of the last message that was held and is no more."""

    @property
    def ref(self) -> ConversationRef:
        """What it is found by."""
        return self.workspace, self.conversation

    def recipients(self, seq: int) -> RecipientSet | None:
        """The set of chain number `seq`; none before the first, or after the last that was followed.

        Raises LookupError when it was dropped: messages had passed it.
        """
        if seq <= 0 or seq > self.seq:
            return None
        first = self.sets[0].seq
        if seq < first:
            raise LookupError(
                f"conversation {self.conversation}: a message names chain number {seq}, but an earlier one "
                f"named {first}; the transcript went back"
            )
        return self.sets[seq - first]

    def drop_sets_before(self, seq: int) -> None:
        """Messages have passed the sets that ended before `seq`."""
        while self.sets and self.sets[0].seq < seq:
            self.sets.popleft()
