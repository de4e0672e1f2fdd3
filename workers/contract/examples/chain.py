"""assignments: the chain of the story's conversation, one that waits and one that is offered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from schemas.assignments import (
    Assigned,
    Candidate,
    Cause,
    ChainEvent,
    Confirmed,
    Facts,
    Offered,
    Queued,
    SessionClosed,
    SessionOpened,
    Why,
)
from schemas.envelope import Kind
from schemas.ids import event_id_text
from workers.contract.examples.example import Example, at, example
from workers.contract.examples.people import (
    CLAIMED_KEY,
    DESK,
    KEY,
    PAGE,
    WAITING_KEY,
    WORKSPACE,
    ZALO_PAGE,
    conversation_of,
)

_OPENED_ID = event_id_text("commands", 3, 211, "desk", 0)
_ASSIGNED_ID = event_id_text("commands", 3, 211, "desk", 1)
_CONFIRMED_ID = event_id_text("commands", 3, 215, "desk", 0)

_WHY = Why(
    method="round_robin",
    rule="messenger-deu",
    rule_version=1,
    cursor_before="lan",
    cursor_after="minh",
    eligible=2,
    passed_over={},
    candidates=(Candidate(agent="minh"), Candidate(agent="lan")),
)


def _place(key: str, page: str, offset: int, moment: datetime) -> dict[str, Any]:
    """The fields that are the same for every event in one place of the log."""
    return {
        "workspace": WORKSPACE,
        "desk": DESK,
        "conversation": conversation_of(key),
        "key": key,
        "page": page,
        "round": 1,
        "session": 1,
        "at": moment,
        "cause": Cause(topic="commands", partition=3, offset=offset),
    }


_NOBODY = {"epoch": 0, "holder": None, "care": "new"}
_MINH = {"epoch": 1, "holder": "minh", "care": "accepted"}

_OPENED = SessionOpened(
    **_place(KEY, PAGE, 211, at(0.4)),
    **_NOBODY,
    seq=1,
    previous=None,
    after_position=1,
    standing="idle",
    facts=Facts(channel="messenger", language="vi"),
)
_ASSIGNED = Assigned(
    **_place(KEY, PAGE, 211, at(0.4)),
    **_MINH,
    seq=2,
    previous=_OPENED_ID,
    after_position=1,
    standing="held",
    former_holder=None,
    why=_WHY,
)
_CONFIRMED = Confirmed(
    **_place(KEY, PAGE, 215, at(61)),
    **_MINH,
    seq=3,
    previous=_ASSIGNED_ID,
    after_position=3,
    standing="held",
)
_CLOSED = SessionClosed(
    **_place(KEY, PAGE, 389, at(86_462)),
    **_MINH,
    seq=4,
    previous=_CONFIRMED_ID,
    after_position=5,
    standing="held",
    ended_by="silence",
    customer_messages=2,
    agent_messages=1,
)
_QUEUED = Queued(
    **_place(WAITING_KEY, PAGE, 250, at(300)),
    **_NOBODY,
    seq=2,
    previous=event_id_text("commands", 3, 250, "desk", 0),
    after_position=1,
    standing="queued",
    rule="messenger-deu",
    rule_version=1,
    passed_over={"at_capacity": 2},
    priority=2,
    queued_at=at(300),
    queued_offset=250,
)
_OFFERED = Offered(
    **_place(CLAIMED_KEY, ZALO_PAGE, 262, at(420)),
    **_NOBODY,
    seq=2,
    previous=event_id_text("commands", 3, 262, "desk", 0),
    after_position=1,
    standing="offered",
    audience="rule:zalo-tu-nhan/0",
    unrouted=False,
    rule="zalo-tu-nhan",
    rule_version=1,
    ring=0,
    agents=("lan", "minh"),
    priority=2,
    queued_at=at(420),
    queued_offset=262,
)


def _event(what: str, value: ChainEvent, id_: str | None = None) -> Example:
    id_ = id_ or event_id_text("commands", value.cause.partition, value.cause.offset, "desk", 1)
    kind = Kind("assignments", what)
    return example(kind, value, key=value.key, source="tongdai/desk/3", id_=id_, time=value.at)


EXAMPLES = (
    _event("session_opened", _OPENED, _OPENED_ID),
    _event("assigned", _ASSIGNED, _ASSIGNED_ID),
    _event("confirmed", _CONFIRMED, _CONFIRMED_ID),
    _event("session_closed", _CLOSED),
    _event("queued", _QUEUED),
    _event("offered", _OFFERED),
)
