"""One action with all that deciding on it needs."""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, TypeVar

from schemas.actions import Action
from schemas.ids import message_id_text
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.given import Given
from workers.routing.intake.work import Work
from workers.routing.outcomes import Refusal, Result
from workers.runtime.batch import Record

ActionT = TypeVar("ActionT", bound=Action)
Answer = Refusal | Result | None
"""None: the desk must decide first."""


class Act(NamedTuple, Generic[ActionT]):
    """An action of somebody who is who he says, in a conversation that exists."""

    work: Work
    conversation: Conversation
    cause: Record
    at_ms: int
    action: ActionT
    given: Given


def message_id_of(act: Act[Any]) -> str:
    """The id of what an action says: of its place in the log.

    No page is named like a conversation's id, so no channel's message can have this id.
    """
    return message_id_text(act.conversation.id, f"action {act.work.batch.id_of(act.cause, 0)}")
