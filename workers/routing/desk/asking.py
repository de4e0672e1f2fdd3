"""What is asked about one conversation: carried out or refused, and answered either way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from schemas.asks import ConversationAsk
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.decision import Draft
from workers.routing.desk.outcomes import done, refuse
from workers.routing.outcomes import Refusal, Result

A = TypeVar("A", bound=ConversationAsk)
Act = Callable[[Draft, Conversation, A], Refusal | Result]
"""Carries a command out on its conversation, or says why not; then it has said no event."""


def about_conversation(act: Act[A]) -> Callable[[Draft, A], None]:
    """The decision that carries `act` out and gives the command its outcome."""

    def decision(draft: Draft, command: A) -> None:
        answer = answer_to(draft, command, act)
        if isinstance(answer, Refusal):
            refuse(draft, command, answer)
        else:
            done(draft, command, answer)

    return decision


def answer_to(draft: Draft, command: A, act: Act[A], page: str | None = None) -> Refusal | Result:
    """What `act` says to `command`, which has no outcome yet; an unknown conversation is refused.

    Args:
        page: that of a conversation which this command may begin.
    """
    other = draft.desk.elsewhere.get(command.key)
    if other is not None:
        return Refusal("other_desk", f"the conversation belongs to the desk {other!r}: ask there")
    conversation = draft.desk.conversations.get(command.key)
    if conversation is None and page is not None:
        conversation = Conversation.fresh(command.conversation, command.key, page)
    if conversation is None or conversation.id != command.conversation:
        sentence = f"no conversation {command.conversation} of {command.key!r} has come to this desk yet"
        return Refusal("unknown_conversation", sentence)
    return act(draft, conversation, command)
