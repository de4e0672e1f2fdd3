"""How far the notifier has followed one conversation: its chain, its transcript, who is to be told."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from schemas.assignments import CareStatus, Standing
from schemas.messages import Read, Returned, Stored
from schemas.receipts import Delivery, PageStands
from workers.notifier.places import Counted, counted
from workers.notifier.seat import Seat

ConversationRef = tuple[str, UUID]
"""Workspace and conversation."""

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing was said yet."""


class RecipientSet(NamedTuple):
    """Who is to be told of messages that name chain number `seq`."""

    seq: int
    epoch: int
    holder: str | None
    after_position: int
    """What the holder's `assigned` notice carried: messages up to here give him no notice of their own."""
    agents: tuple[str, ...]
    """Who follows and has not muted it, in alphabetical order; nobody when the customer is blocked."""


class Heard(NamedTuple):
    """One record of messages: its event id, what it says, and its value as it came."""

    id: UUID
    message: Stored
    value: bytes


class Marked(NamedTuple):
    """An agent has read up to a position: the event id and what it says."""

    id: UUID
    read: Read


class Failed(NamedTuple):
    """An answer has failed on its channel: the event id and how it stands."""

    id: UUID
    delivery: Delivery


class Paged(NamedTuple):
    """A page is paused, or goes on: the event id and how it stands."""

    id: UUID
    stands: PageStands


class Back(NamedTuple):
    """A customer is back: the event id and what it says."""

    id: UUID
    returned: Returned


@dataclass(slots=True)
class Conversation:
    """A row of `notifier_conversation` with what belongs to it; a new one has followed nothing.

    `sets` is in the order of `seq`, without gaps, and ends with the one of `seq`. `held` are messages whose
    chain number has not come yet, in the order of positions.
    """

    workspace: str
    conversation: UUID
    lane: int
    page: str = ""
    seq: int = 0
    epoch: int = 0
    holder: str | None = None
    standing: Standing = "idle"
    care: CareStatus = "new"
    audience: str | None = None
    """To whom it is offered."""
    blocked: bool = False
    asked: tuple[str, ...] = ()
    """Who may accept its transfer."""
    followers: frozenset[str] = frozenset()
    muted: frozenset[str] = frozenset()
    position: int = 0
    last_at: datetime = NEVER
    """When customer or agent last wrote: the order of lists."""
    session: int = 0
    """Of the last message."""
    in_session: int = 0
    """The customer's messages in it: what is unread while nobody holds the conversation."""
    seats: dict[str, Seat] = field(default_factory=dict)
    """Of the holder and the followers; beside them those that the batch has changed."""
    sets: deque[RecipientSet] = field(default_factory=deque)
    stored_sets: tuple[int, int] = (1, 0)
    """First and last `seq` of the sets that the database has; last below first: none."""
    stored_count: Counted | None = None
    """As what it stands in the counters."""
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

    @property
    def shown(self) -> tuple[object, ...]:
        """What lists show of the chain."""
        return self.epoch, self.standing, self.holder, self.care, self.audience, self.blocked

    @property
    def unread(self) -> int:
        """The holder's unread messages; while nobody holds it, the customer's in the last session."""
        return self.seats[self.holder].unread if self.holder is not None else self.in_session

    @property
    def count(self) -> Counted | None:
        """As what it is to be counted; none before its first event."""
        return counted(self.holder, self.audience, self.unread) if self.seq else None

    def seat(self, agent: str) -> Seat:
        """The seat of `agent`, made if he has none."""
        seat = self.seats.get(agent)
        if seat is None:
            seat = self.seats[agent] = Seat()
        return seat

    def live_seats(self) -> Iterator[tuple[str, Seat]]:
        """The seats for which messages are counted: the holder's and the followers'."""
        return (
            (agent, seat)
            for agent, seat in self.seats.items()
            if agent == self.holder or agent in self.followers
        )

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
