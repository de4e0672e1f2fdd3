"""One action with all that deciding on it needs."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from schemas.actions import Action
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
