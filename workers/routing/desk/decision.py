"""What a decision is made of: its place in the log, its events, and the draft on which it is thought."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import BaseModel

from schemas.assignments import Cause, ChainEvent, ReplyRefused
from schemas.building import build
from schemas.catalogue import RECORDS
from schemas.commands import Vacate
from schemas.envelope import Kind
from schemas.ids import agent_key, desk_key
from schemas.outcomes import Outcome
from schemas.roster import AgentChanged, PresenceChanged, RosterEvent
from workers.routing.desk.apply import Decided, Step, apply
from workers.routing.desk.chain import after
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.desk import Desk

KIND_OF: dict[type[BaseModel], Kind] = {model: kind for kind, model in RECORDS.items()}


class Place(NamedTuple):
    """Where in the log a decision is made."""

    at: datetime
    """The log's time, in whole milliseconds."""
    cause: Cause
    """The command's own place."""
    id_of: Callable[[int], str]
    """The id of the n-th event, from 0, that the command gives rise to."""


class Draft:
    """A decision in the making: what is said shows at once on the desk that it is thought on."""

    __slots__ = ("decided", "desk", "place")

    def __init__(self, desk: Desk, place: Place) -> None:
        self.desk = desk
        self.place = place
        self.decided: list[Decided] = []

    def say(self, event: BaseModel) -> None:
        """Let `event`, which is of no chain, be the decision's next one."""
        self._take(Decided(self.place.id_of(len(self.decided)), event))

    def tell(self, model: type[ChainEvent], conversation: Conversation, **changes: object) -> Conversation:
        """Say the next event of a chain: things stand as `conversation` has them, but for `changes`.

        Returns the conversation after it.
        """
        desk, place = self.desk, self.place
        fields: dict[str, Any] = {
            "workspace": desk.workspace,
            "desk": desk.id,
            "conversation": conversation.id,
            "key": conversation.key,
            "page": conversation.page,
            "seq": conversation.seq + 1,
            "previous": conversation.last_event,
            "epoch": conversation.epoch,
            "round": conversation.round,
            "session": conversation.session,
            "after_position": conversation.after_position,
            "at": place.at,
            "standing": conversation.standing,
            "holder": conversation.holder,
            "care": conversation.care,
            "cause": place.cause,
            **changes,
        }
        event, id_ = build(model, fields), place.id_of(len(self.decided))
        before = desk.conversations.get(conversation.key)
        now = after(event, id_, before)
        self._take(Decided(id_, event, Step(before, now)))
        return now

    def _take(self, decided: Decided) -> None:
        self.decided.append(decided)
        apply(self.desk, decided)


def key_of(event: BaseModel) -> str:
    """The Kafka key of an event of the desk."""
    match event:
        case ChainEvent() | ReplyRefused():
            return event.key
        case AgentChanged():
            return agent_key(event.workspace, event.agent.id)
        case PresenceChanged():
            return agent_key(event.workspace, event.agent)
        case RosterEvent():
            return desk_key(event.workspace, event.desk)
        case Outcome():
            return event.actor
        case Vacate():
            return desk_key(event.workspace, event.desk)
    raise TypeError(f"{type(event).__name__} is not an event of the desk")
