"""What agents do in a conversation (actions), and what intake makes of it (messages, outbound)."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import BaseModel

from schemas.actions import (
    Action,
    EditTicket,
    EndSession,
    Erase,
    MarkRead,
    OpenTicket,
    Say,
    SendMail,
    SendSms,
    SetLabels,
    SetProfile,
    StartCall,
    StartChat,
    WriteNote,
)
from schemas.envelope import Kind
from schemas.ids import event_id, message_id
from schemas.messages import CustomerChanged, Read, Returned
from schemas.outbound import Call, Mail, Send, Sms
from schemas.tickets import TicketChanged
from workers.contract.examples.example import Example, at, example
from workers.contract.examples.heard import MID
from workers.contract.examples.people import (
    CONVERSATION,
    CUSTOMER,
    DESK,
    KEY,
    MINH_KEY,
    PAGE,
    WORKSPACE,
    request_key,
)

_ANSWER = "Dạ kem còn hàng chị nhé, em gửi chị bảng giá ạ."
_PHONE = "+84 912 345 678"


def _by_minh(what: str) -> dict[str, Any]:
    return {
        "workspace": WORKSPACE,
        "conversation": CONVERSATION,
        "key": KEY,
        "actor": MINH_KEY,
        "idempotency_key": request_key(what),
        "by": "minh",
    }


_IN_PLACE: dict[str, Any] = {
    "workspace": WORKSPACE,
    "desk": DESK,
    "conversation": CONVERSATION,
    "key": KEY,
    "page": PAGE,
}
_SEND = Send(
    **_IN_PLACE,
    channel="messenger",
    message=message_id(PAGE, request_key("say")),
    position=4,
    sender=MINH_KEY,
    text=_ANSWER,
    reply_to=MID,
    last_customer_at=at(60.2),
    at=at(75),
)
_MAIL = Mail(
    **_IN_PLACE,
    message=message_id(PAGE, request_key("send_mail")),
    position=9,
    sender=MINH_KEY,
    ticket=1,
    to="an@example.com",
    subject="Hỏi giá sỉ",
    text="Em gửi chị bảng giá sỉ ạ.",
    at=at(1_160),
)
_SMS = Sms(
    **_IN_PLACE,
    message=message_id(PAGE, request_key("send_sms")),
    position=11,
    sender=MINH_KEY,
    ticket=1,
    to="+84912345678",
    text="Dạ đơn của chị đã gửi đi ạ.",
    at=at(1_170),
)
_CALL = Call(
    **_IN_PLACE,
    message=message_id(PAGE, request_key("start_call")),
    position=13,
    sender=MINH_KEY,
    ticket=1,
    to="+84912345678",
    agent_phone="+84987654321",
    at=at(1_180),
)
_READ = Read(**_IN_PLACE, agent="minh", position=3, at=at(70), seq=3, epoch=1)
_RETURNED = Returned(**_IN_PLACE, session=2, at=at(90_000), seq=9, epoch=1)
_CHANGED = CustomerChanged(
    **_IN_PLACE,
    profile={"name": CUSTOMER, "phone": _PHONE, "birthday": "1994-05-17"},
    tags=("khach-quen",),
    groups=("da-lieu",),
    by="minh",
    at=at(110),
)

_TICKET = TicketChanged(
    **_IN_PLACE,
    ticket=1,
    session=1,
    first_position=1,
    status="pending",
    former_status="open",
    subject="Hỏi giá sỉ",
    fields={"nguon": "facebook"},
    agent="minh",
    by="minh",
    at=at(1_150),
)


def _action(what: str, value: Action, seconds: float) -> Example:
    kind = Kind("actions", what)
    source = "tongdai/gateway/gateway-1"
    return example(kind, value, key=KEY, source=source, id_=value.idempotency_key, time=at(seconds))


def _intake(kind: Kind, value: BaseModel, offset: int, seconds: float) -> Example:
    id_ = event_id("actions", 5, offset, "intake", 0)
    return example(kind, value, key=KEY, source="tongdai/intake/5", id_=id_, time=at(seconds))


EXAMPLES = (
    _action("mark_read", MarkRead(**_by_minh("mark_read"), position=3), 70),
    _action("say", Say(**_by_minh("say"), text=_ANSWER, reply_to=1), 75),
    _action("start_chat", StartChat(**_by_minh("start_chat"), text="Chị cần em tư vấn thêm gì không ạ?"), 90),
    _action(
        "write_note",
        WriteNote(**_by_minh("write_note"), text="@lan khách hỏi sỉ, chị xem giúp em.", mentions=("lan",)),
        100,
    ),
    _action(
        "set_labels",
        SetLabels(**_by_minh("set_labels"), add_tags=("khach-quen",), add_groups=("da-lieu",)),
        105,
    ),
    _action(
        "set_profile",
        SetProfile(**_by_minh("set_profile"), name=CUSTOMER, phone=_PHONE, birthday=date(1994, 5, 17)),
        110,
    ),
    _action(
        "open_ticket",
        OpenTicket(**_by_minh("open_ticket"), subject="Hỏi giá sỉ", fields={"nguon": "facebook"}),
        1_100,
    ),
    _action("edit_ticket", EditTicket(**_by_minh("edit_ticket"), ticket=1, status="pending"), 1_150),
    _action("send_mail", SendMail(**_by_minh("send_mail"), ticket=1, text=_MAIL.text), 1_160),
    _action("send_sms", SendSms(**_by_minh("send_sms"), ticket=1, text=_SMS.text), 1_170),
    _action("start_call", StartCall(**_by_minh("start_call"), ticket=1, agent_phone="0987 654 321"), 1_180),
    _action("end_session", EndSession(**_by_minh("end_session")), 1_200),
    _action("erase", Erase(**_by_minh("erase"), authority="admin"), 1_300),
    _intake(Kind("messages", "read"), _READ, 17, 70),
    _intake(Kind("messages", "returned"), _RETURNED, 1_050, 90_000),
    _intake(Kind("outbound", "send"), _SEND, 18, 75),
    _intake(Kind("outbound", "mail"), _MAIL, 24, 1_160),
    _intake(Kind("outbound", "sms"), _SMS, 25, 1_170),
    _intake(Kind("outbound", "call"), _CALL, 26, 1_180),
    _intake(Kind("messages", "customer_changed"), _CHANGED, 21, 110),
    _intake(Kind("messages", "ticket_changed"), _TICKET, 23, 1_150),
)
