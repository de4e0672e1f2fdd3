"""What a batch does to transcripts and conversations, gathered to be written at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import orjson

from schemas.actions import Action
from schemas.envelope import Kind
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.customer import Customer
from workers.routing.intake.files import FileOfMessage
from workers.routing.intake.marks import Marks
from workers.routing.intake.outcomes import Outcomes
from workers.routing.intake.pictures import PictureChange
from workers.routing.intake.reply import Reply
from workers.routing.intake.ticket import Ticket
from workers.routing.intake.ticket_turns import TicketTurn
from workers.routing.outcomes import Refusal, Result
from workers.runtime.batch import Batch, Record


class SessionOpening(NamedTuple):
    """A row of `session` when it begins."""

    conversation: Conversation
    session: int
    opened_at_ms: int
    first_position: int


class Erasing(NamedTuple):
    """A customer who is to be erased up to a position of his transcript, and who asked for it."""

    conversation: Conversation
    position: int
    at_ms: int
    by: str


class SessionEnding(NamedTuple):
    """How a row of `session` ends."""

    conversation: Conversation
    session: int
    ended_at_ms: int
    ended_by: str


Became = Literal[
    "stored",
    "duplicate",
    "own_echo",
    "gesture",
    "of_nothing",
    "other",
    "stale_assignment",
    "stale_timer",
    "acted",
    "refused_action",
    "repeated_action",
]
"""What a record that is neither refused nor sent on turned out to be, if it is counted; see the metric."""


@dataclass(slots=True)
class Work:
    """Gathered effects of one batch; its events go straight into `batch`."""

    batch: Batch
    became: Counter[Became] = field(default_factory=Counter)
    lines: list[dict[str, Any]] = field(default_factory=list)
    sightings: list[dict[str, Any]] = field(default_factory=list)
    changed: dict[str, Conversation] = field(default_factory=dict)
    customers: dict[str, tuple[Conversation, int]] = field(default_factory=dict)
    """New customers and those with a new name, with the moment in ms; by conversation."""
    openings: list[SessionOpening] = field(default_factory=list)
    endings: list[SessionEnding] = field(default_factory=list)
    known_customers: dict[str, tuple[Conversation, Customer]] = field(default_factory=dict)
    """Customers of whom more or something else is known now, as they stand; by conversation."""
    marks: Marks = field(default_factory=dict)
    """Edits and reactions, as they are now."""
    held: list[tuple[Conversation, Reply]] = field(default_factory=list)
    settled: list[tuple[Conversation, Reply]] = field(default_factory=list)
    """Answers that wait from here on, and those that do not any more."""
    tickets: dict[tuple[str, int], tuple[Conversation, Ticket]] = field(default_factory=dict)
    """New ones, and others as they stand now; by conversation and number."""
    ticket_turns: list[TicketTurn] = field(default_factory=list)
    files: list[FileOfMessage] = field(default_factory=list)
    """Of the new lines."""
    pictures: dict[str, PictureChange] = field(default_factory=dict)
    """Customers whose channels show another picture of them; by conversation."""
    ticket_lines: list[tuple[Conversation, int, int]] = field(default_factory=list)
    """What was said about tickets beside the chat: the ticket's number, and the line's position."""
    erasings: list[Erasing] = field(default_factory=list)
    outcomes: Outcomes = field(default_factory=Outcomes)

    def change(self, conversation: Conversation) -> None:
        """Have `conversation` written at the end of the batch."""
        self.changed[conversation.id] = conversation

    def change_picture(self, conversation: Conversation, former: str | None, now: str | None) -> None:
        """Have the customer's picture kept that his channel shows at `now`, and `former` no longer.

        None: he was erased, and so is the picture.
        """
        if now is None:
            self.pictures.pop(conversation.id, None)
            return
        before = self.pictures.get(conversation.id)
        former = former if before is None else before.former
        self.pictures[conversation.id] = PictureChange(conversation.workspace, conversation.id, former, now)

    def answer(
        self, conversation: Conversation, cause: Record, at_ms: int, action: Action, answer: Refusal | Result
    ) -> None:
        """Tell who sent `action` what became of it."""
        self.outcomes.answer(self.batch, cause, at_ms, conversation.desk, action, answer)

    def command(
        self, conversation: Conversation, cause: Record, at_ms: int, kind: Kind, facts: dict[str, Any]
    ) -> None:
        """Ask the conversation's desk."""
        value = {
            **conversation.facts,
            "position": conversation.position,
            "session": conversation.session,
            **facts,
        }
        self.batch.emit(cause, kind, key=conversation.command_key, value=orjson.dumps(value), at_ms=at_ms)
