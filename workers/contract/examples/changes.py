"""assignments, continued: what agents make of a conversation that Lan has claimed; one chain, in order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from schemas.assignments import (
    Blocked,
    CareChanged,
    Cause,
    ChainEvent,
    Facts,
    FactsChanged,
    Followed,
    HolderAbsent,
    Muted,
    OrderChanged,
    Quieted,
    ReplyRefused,
    SessionSilenced,
    SessionWoken,
    TransferEnded,
    Transferring,
    Unassigned,
    Unblocked,
    Unfollowed,
    Unmuted,
)
from schemas.catalogue import RECORDS
from schemas.envelope import Kind
from schemas.ids import event_id_text
from workers.contract.examples.example import Example, at, example
from workers.contract.examples.people import (
    CLAIMED_KEY,
    DESK,
    LAN_KEY,
    MINH_KEY,
    WORKSPACE,
    ZALO_PAGE,
    conversation_of,
    request_key,
)

_PARTITION = 3
_CLAIMED_AT = 270
"""The offset of Lan's claim; `assigned` was number 3 of the chain."""
_PENDING = {"care": "pending_close"}
_VIP = Facts(channel="zalo", tags=("vip",), language="vi")
_NOBODY = {"holder": None, "standing": "idle", "care": "waiting"}


class _Step(NamedTuple):
    """The next event: the offset and second of its command, and what it says of its own."""

    offset: int
    second: float
    model: type[ChainEvent]
    fields: dict[str, Any]


def _by(who: str, what: str) -> dict[str, Any]:
    return {"by": who, "command": request_key(what)}


def _minh(what: str) -> dict[str, Any]:
    return {"agent": "minh", "command": request_key(what)} | _PENDING


_STEPS = (
    _Step(
        275,
        600,
        Transferring,
        {"to_agent": "minh", "to_department": None, "agents": ("minh",), "expires_at": at(720)}
        | _by(LAN_KEY, "transfer"),
    ),
    _Step(277, 615, TransferEnded, {"how": "rejected", "agent": "minh"} | _by(MINH_KEY, "transfer_reject")),
    _Step(
        280,
        890,
        OrderChanged,
        {"order": "DH-1042", "status": "new", "former_status": None} | _by(LAN_KEY, "link_order"),
    ),
    _Step(281, 900, CareChanged, {"former_care": "accepted"} | _by(LAN_KEY, "set_care") | _PENDING),
    _Step(282, 905, Followed, _minh("follow")),
    _Step(283, 910, Muted, _minh("mute")),
    _Step(286, 940, Unmuted, _minh("unmute")),
    _Step(287, 950, Unfollowed, _minh("unfollow")),
    _Step(300, 2_700, SessionSilenced, {"after_position": 9} | _PENDING),
    _Step(302, 2_800, SessionWoken, {"after_position": 10} | _PENDING),
    _Step(302, 2_800, FactsChanged, {"after_position": 10, "facts": _VIP} | _PENDING),
    _Step(303, 2_860, HolderAbsent, {"after_position": 11, "until": at(3_460)} | _PENDING),
    _Step(310, 3_600, Blocked, {"until": at(3_600) + timedelta(days=7)} | _by(LAN_KEY, "block") | _PENDING),
    _Step(311, 3_700, Unblocked, _by(LAN_KEY, "unblock") | _PENDING),
    _Step(
        315,
        3_900,
        Unassigned,
        {"former_holder": "lan", "how": "released"} | _by(LAN_KEY, "release") | _NOBODY,
    ),
    _Step(318, 3_950, Quieted, {"until": at(5_750)} | _NOBODY),
)
_IN_PLACE: dict[str, Any] = {
    "workspace": WORKSPACE,
    "desk": DESK,
    "conversation": conversation_of(CLAIMED_KEY),
    "key": CLAIMED_KEY,
}
_REFUSED = ReplyRefused(
    **_IN_PLACE,
    command=request_key("reply_claim"),
    code="taken",
    sentence="lan took it 1000 ms earlier",
    at=at(427),
    cause=Cause(topic="commands", partition=_PARTITION, offset=271),
)


def _chain() -> Iterator[Example]:
    """The steps as events: numbered, each naming its predecessor."""
    kinds = {model: kind for kind, model in RECORDS.items()}
    previous = event_id_text("commands", _PARTITION, _CLAIMED_AT, "desk", 0)
    after_position = 1
    for seq, step in enumerate(_STEPS, start=4):
        after_position = step.fields.get("after_position", after_position)
        stands = {"standing": "held", "holder": "lan", "care": "accepted", "after_position": after_position}
        value = step.model(
            **_IN_PLACE,
            **(stands | step.fields),
            page=ZALO_PAGE,
            seq=seq,
            previous=previous,
            epoch=1,
            round=1,
            session=1,
            at=at(step.second),
            cause=Cause(topic="commands", partition=_PARTITION, offset=step.offset),
        )
        previous = event_id_text("commands", _PARTITION, step.offset, "desk", 0)
        source = f"tongdai/desk/{_PARTITION}"
        yield example(kinds[step.model], value, key=CLAIMED_KEY, source=source, id_=previous, time=value.at)


EXAMPLES = (
    *_chain(),
    example(
        Kind("assignments", "reply_refused"),
        _REFUSED,
        key=CLAIMED_KEY,
        source=f"tongdai/desk/{_PARTITION}",
        id_=event_id_text("commands", _PARTITION, 271, "desk", 0),
        time=_REFUSED.at,
    ),
)
