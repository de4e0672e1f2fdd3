"""What agents and page admins ask of a desk (commands), each as it may be asked; what gateways tell it."""

from __future__ import annotations

from typing import Any

from schemas.asks import (
    Appoint,
    Block,
    Bulk,
    Claim,
    Follow,
    GatewayAlive,
    LinkOrder,
    Mute,
    Release,
    ReplyClaim,
    SetCapacity,
    SetCare,
    SetLeave,
    SetPresence,
    SetTicketFields,
    Subject,
    TakeOff,
    TakeOver,
    Transfer,
    TransferAccept,
    TransferCancel,
    TransferReject,
    Unblock,
    Unfollow,
    Unmute,
)
from schemas.commands import Amend, AskedCommand, Command
from schemas.definitions import Department
from schemas.envelope import Kind
from schemas.ids import agent_key, event_id
from schemas.tickets import TicketField
from workers.contract.examples.example import Example, at, example
from workers.contract.examples.people import (
    CLAIMED_KEY,
    CONVERSATION,
    DESK,
    DESK_KEY,
    KEY,
    WAITING_KEY,
    WORKSPACE,
    conversation_of,
    request_key,
)

_GATEWAY = "gateway-1"
_ON_DESK = {"workspace": WORKSPACE, "desk": DESK}
_HERE: dict[str, Any] = {"conversation": conversation_of(CLAIMED_KEY), "key": CLAIMED_KEY}
_WAITING: dict[str, Any] = {"conversation": conversation_of(WAITING_KEY), "key": WAITING_KEY}


def _asked(model: type[AskedCommand], what: str, by: str, seconds: float, /, **fields: object) -> Example:
    """What `by` asks, so many seconds after the story's beginning."""
    who = {"actor": agent_key(WORKSPACE, by), "idempotency_key": request_key(what), "by": by}
    value = model(**_ON_DESK, **who, **fields)
    id_, source = value.idempotency_key, f"tongdai/gateway/{_GATEWAY}"
    return example(Kind("commands", what), value, key=DESK_KEY, source=source, id_=id_, time=at(seconds))


def _told(what: str, value: Command, seconds: float) -> Example:
    """What a gateway tells by itself."""
    id_, source = request_key(what), f"tongdai/gateway/{_GATEWAY}"
    return example(Kind("commands", what), value, key=DESK_KEY, source=source, id_=id_, time=at(seconds))


def _reply_claim() -> Example:
    """What intake asks for Minh, who answers a moment after Lan has claimed."""
    asked = _asked(ReplyClaim, "reply_claim", "minh", 427, **_HERE)
    id_ = str(event_id("actions", 5, 30, "intake", 0))
    return asked._replace(headers={**asked.headers, "ce_source": "tongdai/intake/5", "ce_id": id_})


EXAMPLES = (
    _told("set_presence", SetPresence(**_ON_DESK, agent="minh", gateway=_GATEWAY, presence="online"), -120),
    _told("gateway_alive", GatewayAlive(**_ON_DESK, gateway=_GATEWAY), -110),
    _asked(Claim, "claim", "lan", 426, **_HERE),
    _reply_claim(),
    _asked(Transfer, "transfer", "lan", 600, **_HERE, to_agent="minh"),
    _asked(TransferReject, "transfer_reject", "minh", 615, **_HERE),
    _asked(TransferCancel, "transfer_cancel", "lan", 660, **_HERE),
    _asked(TransferAccept, "transfer_accept", "minh", 690, **_HERE),
    _asked(SetCare, "set_care", "lan", 900, **_HERE, care="pending_close"),
    _asked(LinkOrder, "link_order", "lan", 890, **_HERE, order="DH-1042", status="new"),
    _asked(Follow, "follow", "minh", 905, **_HERE),
    _asked(Mute, "mute", "minh", 910, **_HERE),
    _asked(Unmute, "unmute", "minh", 940, **_HERE),
    _asked(Unfollow, "unfollow", "minh", 950, **_HERE),
    _asked(Block, "block", "lan", 3_600, **_HERE, days=7),
    _asked(Unblock, "unblock", "lan", 3_700, **_HERE),
    _asked(Release, "release", "lan", 3_900, **_HERE),
    _asked(Appoint, "appoint", "lan", 4_000, **_WAITING, agent="minh"),
    _asked(TakeOver, "take_over", "lan", 4_100, **_WAITING),
    _asked(TakeOff, "take_off", "lan", 4_200, conversation=CONVERSATION, key=KEY, then="pool"),
    _asked(SetCapacity, "set_capacity", "minh", 4_300, agent="minh", capacity=25),
    _asked(SetLeave, "set_leave", "minh", 30_000, agent="minh", on_leave=True, then="next"),
    _asked(
        SetTicketFields,
        "set_ticket_fields",
        "lan",
        30_050,
        authority="admin",
        fields=(TicketField(id="nguon", name="Nguồn khách", type="choice", choices=("facebook", "zalo")),),
    ),
    _asked(
        Amend,
        "amend",
        "lan",
        30_070,
        authority="admin",
        version=9,
        departments=(Department(id="ban-hang", name="Bán hàng", agents=("lan",)),),
    ),
    _asked(
        Bulk,
        "bulk",
        "lan",
        30_100,
        what="appoint",
        subjects=(Subject(**_HERE), Subject(**_WAITING)),
        agent="lan",
    ),
)
