"""What customers say (inbound), what is stored of it (messages), and intake's timers (actions)."""

from __future__ import annotations

from schemas.actions import SessionTimer, SilenceTimer
from schemas.base import InsideModel
from schemas.envelope import Kind
from schemas.ids import event_id, message_id
from schemas.inbound import (
    Echo,
    Edit,
    InboundRecord,
    Left,
    Mail,
    Message,
    Other,
    Postback,
    Profile,
    Reaction,
    Referral,
    Returned,
    Sms,
)
from schemas.messages import Marked, Stored
from workers.contract.examples.example import Example, at, example
from workers.contract.examples.people import (
    ACCOUNT,
    CONVERSATION,
    CUSTOMER,
    DESK,
    KEY,
    PAGE,
    USER,
    WORKSPACE,
)

_SENT_AT_MS = int(at(0).timestamp() * 1000)
TEXT = "Shop ơi, kem dưỡng da này còn hàng không ạ?"
MID = "m_AG5Hz2Uq7tuwNEhXfYYKj8mJEM_QPpz5jdCK48PnKAj"
_SILENCE_S = 86_400
_SILENT_AFTER_S = 1_800

_MESSAGE = Message(
    channel="messenger",
    account=ACCOUNT,
    user=USER,
    channel_message_id=MID,
    sent_at_ms=_SENT_AT_MS,
    text=TEXT,
    customer_name=CUSTOMER,
    language="vi",
    raw={
        "sender": {"id": USER},
        "recipient": {"id": ACCOUNT},
        "timestamp": _SENT_AT_MS,
        "message": {"mid": MID, "text": TEXT},
    },
)
_POSTBACK = Postback(
    channel="messenger",
    account=ACCOUNT,
    user=USER,
    channel_message_id="m_postback-1763774160",
    sent_at_ms=_SENT_AT_MS + 60_000,
    text="Xem bảng giá",
    payload="PRICE_LIST",
)
_ECHO = Echo(
    channel="messenger",
    account=ACCOUNT,
    user=USER,
    channel_message_id="m_echo-1763774190",
    sent_at_ms=_SENT_AT_MS + 90_000,
    text="Dạ còn chị nhé!",
    author="human",
    author_id="26390203743090",
)
_MAIL = Mail(
    channel="messenger",
    account=ACCOUNT,
    user=USER,
    channel_message_id=f"mail/{'5e884898' * 8}",
    sent_at_ms=_SENT_AT_MS + 1_200_000,
    text="Cảm ơn em, chị lấy 10 hộp nhé.",
    ticket=1,
    sender="an@example.com",
    subject="Re: [#1] Hỏi giá sỉ",
)
_SMS = Sms(
    channel="messenger",
    account=ACCOUNT,
    user=USER,
    channel_message_id=f"sms/{'2cf24dba' * 8}",
    sent_at_ms=_SENT_AT_MS + 1_300_000,
    text="Chị nhận được rồi nhé.",
    ticket=1,
    sender="+84912345678",
)
_REACTION = Reaction(
    channel="messenger",
    account=ACCOUNT,
    user=USER,
    sent_at_ms=_SENT_AT_MS + 95_000,
    of="m_echo-1763774190",
    emoji="❤️",
    raw={"reaction": {"action": "react", "emoji": "❤️", "mid": "m_echo-1763774190"}},
)
_EDIT = Edit(
    channel="messenger",
    account=ACCOUNT,
    user=USER,
    sent_at_ms=_SENT_AT_MS + 96_000,
    of=MID,
    text="Shop ơi, kem dưỡng da loại 50 ml còn hàng không ạ?",
)
_PROFILE = Profile(
    channel="messenger",
    account=ACCOUNT,
    user=USER,
    customer_name=CUSTOMER,
    customer_picture="https://cdn.example/khach.jpg",
    phone="84912345678",
    referral=Referral(source="ADS", ref="kem-duong-da", ad_id="6045246247433"),
)
_LEFT = Left(channel="web", account="shop", user="a.Qf8dUo1pBc2x", gone_ms=60_150)
_BACK = Returned(channel="web", account="shop", user="a.Qf8dUo1pBc2x")
_OTHER = Other(
    channel="messenger",
    account=ACCOUNT,
    user=USER,
    event="optin",
    sent_at_ms=_SENT_AT_MS + 97_000,
    raw={"optin": {"ref": "kem-duong-da"}},
)
_STORED = Stored(
    workspace=WORKSPACE,
    desk=DESK,
    conversation=CONVERSATION,
    key=KEY,
    page=PAGE,
    channel="messenger",
    message=message_id(PAGE, MID),
    position=1,
    session=1,
    sender="customer",
    sender_id=USER,
    kind="text",
    text=TEXT,
    channel_message_id=MID,
    sent_at=at(0),
    stored_at=at(0.2),
    seq=0,
    epoch=0,
)
_MARKED = Marked(
    workspace=WORKSPACE,
    desk=DESK,
    conversation=CONVERSATION,
    key=KEY,
    page=PAGE,
    channel_message_id="m_echo-1763774190",
    mark="customer_reaction",
    value="❤️",
    number=0,
    at=at(95.2),
)
_TIMER = SessionTimer(workspace=WORKSPACE, conversation=CONVERSATION, session=1, due_at=at(60 + _SILENCE_S))

_SILENT = SilenceTimer(
    workspace=WORKSPACE, conversation=CONVERSATION, session=1, due_at=at(60 + _SILENT_AFTER_S)
)


def _inbound(what: str, value: InboundRecord, offset: int, seconds: float) -> Example:
    id_ = event_id("connector", 0, offset, "ingress", 0)
    kind = Kind("inbound", what)
    return example(kind, value, key=value.key, source="tongdai/ingress/messenger", id_=id_, time=at(seconds))


def _intake(kind: Kind, value: InsideModel, offset: int, seconds: float) -> Example:
    id_ = event_id("inbound", 5, offset, "intake", 0)
    return example(kind, value, key=KEY, source="tongdai/intake/5", id_=id_, time=at(seconds))


EXAMPLES = (
    _inbound("message", _MESSAGE, 0, 0),
    _inbound("postback", _POSTBACK, 1, 60),
    _inbound("echo", _ECHO, 2, 90),
    _inbound("reaction", _REACTION, 3, 95),
    _inbound("edit", _EDIT, 4, 96),
    _inbound("profile", _PROFILE, 5, 96.5),
    _inbound("left", _LEFT, 6, 96.8),
    _inbound("returned", _BACK, 8, 96.9),
    _inbound("other", _OTHER, 7, 97),
    _inbound("mail", _MAIL, 8, 1_200),
    _inbound("sms", _SMS, 9, 1_300),
    _intake(Kind("messages", "stored"), _STORED, 1041, 0.2),
    _intake(Kind("messages", "marked"), _MARKED, 1044, 95.2),
    _intake(Kind("actions", "session_timer"), _TIMER, 1041, 60 + _SILENCE_S),
    _intake(Kind("actions", "silence_timer"), _SILENT, 1042, 60 + _SILENT_AFTER_S),
)
