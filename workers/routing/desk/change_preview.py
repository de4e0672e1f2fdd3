"""What a change of the roster would do to those who wait, or lose their agent; told before it is asked."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from schemas.assignments import Cause, Standing
from schemas.commands import Amend
from schemas.outcomes import Done, Refused
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.decide import carry_out
from workers.routing.desk.decision import Place
from workers.routing.desk.desk import Desk


class Stand(NamedTuple):
    """How a conversation stands."""

    standing: Standing
    holder: str | None
    rule: str | None
    audience: str | None


class Move(NamedTuple):
    """A conversation that would stand otherwise."""

    conversation: UUID
    page: str
    was: Stand
    now: Stand


class ForeseenChange(NamedTuple):
    """What the desk would answer, and which conversations would move, those who have waited longest first."""

    outcome: Done | Refused
    moves: tuple[Move, ...]


def foresee_change(desk: Desk, command: Amend, at: datetime) -> ForeseenChange:
    """What the desk, which is of no use after it, would decide on `command` at this moment."""
    before = [(one.queued_at or at, key, _stand(one)) for key, one in desk.conversations.items()]
    decided = carry_out(desk, command, Place(at, Cause(partition=0, offset=0), str))
    (outcome,) = (one.event for one in decided if isinstance(one.event, Done | Refused))
    after = ((desk.conversations[key], was) for _, key, was in sorted(before))
    moves = (Move(one.id, one.page, was, _stand(one)) for one, was in after if _stand(one) != was)
    return ForeseenChange(outcome, tuple(moves))


def _stand(conversation: Conversation) -> Stand:
    return Stand(conversation.standing, conversation.holder, conversation.rule, conversation.audience)
