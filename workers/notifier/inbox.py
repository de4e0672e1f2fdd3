"""Agents' lists and their counters: what one batch changes of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from workers.notifier.conversation import Conversation

InboxRef = tuple[str, str, UUID]
"""Workspace, agent, conversation."""
CounterRef = tuple[str, str, int]
"""Workspace, agent, lane."""


@dataclass(slots=True)
class InboxRow:
    """One conversation in one agent's list. Times, positions and epochs only rise."""

    page: str
    holds: bool
    epoch: int
    unread: int
    last_position: int
    at: datetime


@dataclass(slots=True)
class Difference:
    """What is to be added to one counter row."""

    conversations: int = 0
    unread: int = 0


@dataclass(slots=True)
class InboxChanges:
    """The rows as they are after the batch, and by how much the sums over them changed."""

    rows: dict[InboxRef, InboxRow] = field(default_factory=dict)
    counters: defaultdict[CounterRef, Difference] = field(default_factory=lambda: defaultdict(Difference))

    def give(
        self, conversation: Conversation, page: str, *, unread: int, last_position: int, at: datetime
    ) -> None:
        """The conversation came to its holder."""
        conversation.unread = unread
        self._put(conversation, _agent(conversation), page, conversation.epoch, last_position, at)
        self._count(conversation, conversations=1, unread=unread)

    def take(self, conversation: Conversation, page: str, at: datetime) -> None:
        """The conversation is no longer its holder's: it keeps no unread messages for him."""
        self._count(conversation, conversations=-1, unread=-conversation.unread)
        conversation.unread = 0
        self._put(conversation, _agent(conversation), page, conversation.epoch, 0, at, holds=False)

    def add_unread(self, conversation: Conversation, page: str, position: int, at: datetime) -> None:
        """The customer wrote what its holder has not read."""
        conversation.unread += 1
        self._put(conversation, _agent(conversation), page, conversation.epoch, position, at)
        self._count(conversation, unread=1)

    def tell_former(
        self, conversation: Conversation, agent: str, page: str, epoch: int, position: int, at: datetime
    ) -> None:
        """`agent` is told of a message that came while he held the conversation; it is no longer his."""
        self._put(conversation, agent, page, epoch, position, at, holds=False)

    def _put(
        self,
        conversation: Conversation,
        agent: str,
        page: str,
        epoch: int,
        position: int,
        at: datetime,
        *,
        holds: bool = True,
    ) -> None:
        unread = conversation.unread if holds else 0
        ref = conversation.workspace, agent, conversation.conversation
        row = self.rows.get(ref)
        if row is None:
            self.rows[ref] = InboxRow(page, holds, epoch, unread, position, at)
            return
        row.holds, row.unread = holds, unread
        row.epoch, row.at = max(row.epoch, epoch), max(row.at, at)
        row.last_position = max(row.last_position, position)

    def _count(self, conversation: Conversation, *, conversations: int = 0, unread: int = 0) -> None:
        ref = conversation.workspace, _agent(conversation), conversation.lane
        difference = self.counters[ref]
        difference.conversations += conversations
        difference.unread += unread


def _agent(conversation: Conversation) -> str:
    if conversation.holder is None:
        raise ValueError(f"conversation {conversation.conversation} has no holder whose list could change")
    return conversation.holder
