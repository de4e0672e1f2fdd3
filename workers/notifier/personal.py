"""Which agents an event of the chain is told to in person: who is given it, loses it, or is asked for it.

Each at most once of one event: what concerns him most comes first.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from schemas.assignments import Assigned, CareChanged, ChainEvent, TransferEnded, Transferring, Unassigned
from schemas.ids import agent_key
from schemas.notifications import NoticeMessage
from workers.notifier.conversation import Conversation
from workers.notifier.told import Told


class Circle(NamedTuple):
    """What must be known of a conversation as it was before an event."""

    holder: str | None
    live: frozenset[str]
    """The holder and the followers."""
    muted: frozenset[str]
    audience: str | None
    asked: tuple[str, ...]


def circle(conversation: Conversation) -> Circle:
    """The conversation as it is now: before the next event."""
    holder = frozenset(() if conversation.holder is None else (conversation.holder,))
    live = conversation.followers | holder
    return Circle(conversation.holder, live, conversation.muted, conversation.audience, conversation.asked)


def tell(
    conversation: Conversation,
    cause: UUID,
    event: ChainEvent,
    was: Circle,
    message: NoticeMessage | None,
    unread: int,
) -> list[Told]:
    """Who is told of `event`, which was applied; `message` and `unread` are what `assigned` carries."""
    told: dict[str, Told] = {}

    def add(agent: str, what: str, **more: Any) -> None:  # noqa: ANN401 - fields of any notice
        seat = conversation.seats.get(agent)
        left = seat.unread if seat is not None else 0
        told.setdefault(agent, Told(what, cause, event, agent, event.epoch, left, None, more))

    if isinstance(event, Assigned) and event.holder is not None:
        how = {"how": event.why.method, "by": event.why.by}
        told[event.holder] = Told("assigned", cause, event, event.holder, event.epoch, unread, message, how)
    if was.holder is not None and event.holder != was.holder and not _is_accepted(event, was):
        add(was.holder, "unassigned", to=event.holder, **_parting(event))
    if isinstance(event, Transferring):
        for agent in event.agents:
            if agent not in was.asked:
                add(agent, "transfer_offered", **_offer(event))
    for agent in _released(conversation, event, was):
        add(agent, "transfer_ended", holder=event.holder, **_ending(event, was, agent))
    if isinstance(event, CareChanged) and event.holder is not None and _is_by_another(event):
        care = {"care": event.care, "former_care": event.former_care, "reason": event.reason}
        add(event.holder, "care_changed", by=event.by, **care)
    return list(told.values())


def _is_accepted(event: ChainEvent, was: Circle) -> bool:
    return isinstance(event, Assigned) and event.why.method == "transfer" and bool(was.asked)


def _parting(event: ChainEvent) -> dict[str, Any]:
    match event:
        case Unassigned():
            return {"how": event.how, "by": event.by}
        case Assigned():
            return {"how": event.why.method, "by": event.why.by}
        case CareChanged():
            return {"how": "reopened", "by": event.by}
    return {"how": "released"}


def _offer(event: Transferring) -> dict[str, Any]:
    return {
        "by": event.by,
        "holder": event.holder,
        "to_department": event.to_department,
        "expires_at": event.expires_at,
    }


def _released(conversation: Conversation, event: ChainEvent, was: Circle) -> tuple[str, ...]:
    """For whom a transfer is over: all when it is; while others may take it, who has rejected it or left."""
    if conversation.asked:
        return tuple(agent for agent in was.asked if agent not in conversation.asked)
    if not was.asked and not isinstance(event, TransferEnded):
        return ()
    return (*([was.holder] if was.holder is not None else []), *was.asked)


def _ending(event: ChainEvent, was: Circle, agent: str) -> dict[str, Any]:
    if isinstance(event, TransferEnded):
        return {"how": event.how, "colleague": event.agent}
    if isinstance(event, Transferring):
        return {"how": "rejected" if agent in event.rejected else "target_left", "colleague": agent}
    if _is_accepted(event, was):
        return {"how": "accepted", "colleague": event.holder}
    return {"how": "overtaken"}


def _is_by_another(event: CareChanged) -> bool:
    """A person changed it who does not hold it; what changes by itself is seen in lists."""
    return event.by is not None and event.by != agent_key(event.workspace, event.holder or "")
