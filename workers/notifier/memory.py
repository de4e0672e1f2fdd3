"""Conversations kept in memory between batches: the most recently used, up to a limit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable

from workers.notifier.conversation import Conversation, ConversationRef


class Memory:
    """What was loaded or changed last. What a batch needs beyond the limit is dropped when it ends."""

    def __init__(self, conversations_max: int) -> None:
        self._max = conversations_max
        self._conversations: OrderedDict[ConversationRef, Conversation] = OrderedDict()

    def __len__(self) -> int:
        return len(self._conversations)

    def find(self, ref: ConversationRef) -> Conversation | None:
        """The conversation if it is here."""
        conversation = self._conversations.get(ref)
        if conversation is not None:
            self._conversations.move_to_end(ref)
        return conversation

    def keep(self, conversations: Iterable[Conversation]) -> None:
        """Keep what a batch has stored.

        Conversations with messages held are not kept: these would have no bound when assignments lag.
        """
        for conversation in conversations:
            if conversation.held_to:
                self._conversations.pop(conversation.ref, None)
            else:
                self._conversations[conversation.ref] = conversation
        while len(self._conversations) > self._max:
            self._conversations.popitem(last=False)

    def forget(self, lanes: Collection[int] | None) -> None:
        """Drop the conversations of `lanes`; none: all."""
        if lanes is None:
            self._conversations.clear()
            return
        for ref in [ref for ref, found in self._conversations.items() if found.lane in lanes]:
            del self._conversations[ref]
