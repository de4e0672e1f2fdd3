"""How an answer fares on its channel: the channel's own word of it (outbound, receipts)."""

from __future__ import annotations

from typing import Any

from schemas.envelope import Kind
from schemas.ids import conversation_id, conversation_key, event_id, message_id, page_id
from schemas.outbound import Carried as CarriedBehind
from schemas.outbound import Echoed, EchoTimer, LookUp
from schemas.receipts import Arrival, Carried, Delivery, Outreach, PageStands
from workers.contract.examples.example import at, example
from workers.contract.examples.people import (
    ACCOUNT,
    CONVERSATION,
    DESK,
    KEY,
    MINH_KEY,
    PAGE,
    USER,
    WORKSPACE,
    request_key,
)

_MID = "m_Zz8fQ1c0QeTq2r6mJ1v5cYwGk3Xn7Lh4Vb9Dp0Sa2Ef"
_IN_PLACE: dict[str, Any] = {
    "workspace": WORKSPACE,
    "desk": DESK,
    "conversation": CONVERSATION,
    "key": KEY,
    "page": PAGE,
    "message": message_id(PAGE, request_key("say")),
}
_ECHOED = Echoed(**_IN_PLACE, part=0, channel_message_id=_MID, at=at(76))
_TIMER = EchoTimer(
    workspace=WORKSPACE,
    conversation=CONVERSATION,
    key=KEY,
    message=message_id(PAGE, request_key("say")),
    version=1,
    due_at=at(95),
)
_LOOK_UP = LookUp(workspace=WORKSPACE, desk=DESK, conversation=CONVERSATION, key=KEY, page=PAGE, at=at(0.1))
_DELIVERY = Delivery(
    **_IN_PLACE,
    channel="messenger",
    position=4,
    sender=MINH_KEY,
    state="sent",
    parts=1,
    channel_message_ids=(_MID,),
    version=1,
    at=at(75.8),
)
_PAUSED = PageStands(
    **{name: value for name, value in _IN_PLACE.items() if name != "message"},
    channel="messenger",
    paused="token_broken",
    at=at(96),
)
_READ_MS = int(at(80).timestamp() * 1000)
_ARRIVAL = Arrival(
    channel="messenger",
    account=ACCOUNT,
    user=USER,
    state="read",
    until_ms=_READ_MS,
    sent_at_ms=_READ_MS,
    raw={"read": {"watermark": _READ_MS}},
)
_OUTREACH = Outreach(
    channel="messenger",
    account=ACCOUNT,
    user=USER,
    workspace=WORKSPACE,
    message=message_id(PAGE, request_key("start_call")),
    state="ended",
    duration_s=95,
    provider_id="call-7f3a",
    raw={"type": "call.status", "status": "ended", "duration_s": 95},
)
_CARRIED = Carried(
    channel="telegram",
    account="hoasen_bot",
    user="5512345678",
    message=message_id(page_id("telegram", "hoasen_bot"), request_key("say")),
    state="sent",
    channel_message_id="4711",
    sent_at_ms=_READ_MS,
)
_CARRIED_KEY = conversation_key("telegram", "hoasen_bot", "5512345678")
_CARRIED_BEHIND = CarriedBehind(
    workspace=WORKSPACE,
    conversation=conversation_id(_CARRIED_KEY),
    key=_CARRIED_KEY,
    message=_CARRIED.message,
    state="sent",
    channel_message_id="4711",
    at=at(80),
)

EXAMPLES = (
    example(
        Kind("outbound", "echoed"),
        _ECHOED,
        key=KEY,
        source="tongdai/intake/5",
        id_=event_id("inbound", 5, 1_050, "intake", 0),
        time=at(76),
    ),
    example(
        Kind("outbound", "echo_timer"),
        _TIMER,
        key=KEY,
        source="tongdai/delivery/5",
        id_=event_id("outbound", 5, 18, "delivery", 1),
        time=at(95),
    ),
    example(
        Kind("outbound", "look_up"),
        _LOOK_UP,
        key=KEY,
        source="tongdai/intake/5",
        id_=event_id("inbound", 5, 1_041, "intake", 3),
        time=at(0.1),
    ),
    example(
        Kind("receipts", "delivery"),
        _DELIVERY,
        key=KEY,
        source="tongdai/delivery/5",
        id_=event_id("outbound", 5, 18, "delivery", 0),
        time=at(75.8),
    ),
    example(
        Kind("receipts", "page_stands"),
        _PAUSED,
        key=KEY,
        source="tongdai/delivery/5",
        id_=event_id("outbound", 5, 19, "delivery", 0),
        time=at(96),
    ),
    example(
        Kind("receipts", "arrival"),
        _ARRIVAL,
        key=KEY,
        source="tongdai/ingress/messenger",
        id_=event_id("connector", 0, 4, "ingress", 0),
        time=at(80),
    ),
    example(
        Kind("receipts", "outreach"),
        _OUTREACH,
        key=KEY,
        source="tongdai/ingress/phone",
        id_=event_id("connector", 0, 5, "ingress", 0),
        time=at(1_300),
    ),
    example(
        Kind("receipts", "carried"),
        _CARRIED,
        key=_CARRIED_KEY,
        source="connector/telegram",
        id_=event_id("connector", 0, 6, "connector", 0),
        time=at(80.1),
    ),
    example(
        Kind("outbound", "carried"),
        _CARRIED_BEHIND,
        key=_CARRIED_KEY,
        source="tongdai/delivery/5",
        id_=event_id("receipts", 5, 19, "delivery", 0),
        time=at(80.2),
    ),
)
