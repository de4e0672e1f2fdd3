"""notifications: what Minh is told."""

from __future__ import annotations

from typing import Any

from schemas.envelope import Kind
from schemas.ids import agent_key, event_id, notice_id
from schemas.notifications import AssignedNotice, MessageNotice, Notice, NoticeMessage
from workers.contract.examples.example import Example, at, example
from workers.contract.examples.heard import TEXT
from workers.contract.examples.people import CONVERSATION, KEY, PAGE, WORKSPACE

_AGENT = agent_key(WORKSPACE, "minh")
_ASSIGNED_ID = event_id("commands", 3, 211, "desk", 1)
_STORED_ID = event_id("inbound", 5, 1060, "intake", 0)

_COMMON: dict[str, Any] = {
    "workspace": WORKSPACE,
    "agent": "minh",
    "conversation": CONVERSATION,
    "key": KEY,
    "page": PAGE,
    "channel": "messenger",
    "seq": 2,
    "epoch": 1,
}
_YOURS = AssignedNotice(
    **_COMMON,
    notice=notice_id(_ASSIGNED_ID, f"{WORKSPACE}/minh"),
    at=at(0.4),
    unread=1,
    message=NoticeMessage(position=1, sender="customer", kind="text", text=TEXT, stored_at=at(0.2)),
)
_FURTHER = MessageNotice(
    **_COMMON,
    notice=notice_id(_STORED_ID, f"{WORKSPACE}/minh"),
    at=at(60.2),
    unread=2,
    message=NoticeMessage(
        position=3, sender="customer", kind="postback", text="Xem bảng giá", stored_at=at(60.2)
    ),
)


def _notice(what: str, value: Notice) -> Example:
    source = "tongdai/notifier/5"
    return example(
        Kind("notifications", what), value, key=_AGENT, source=source, id_=value.notice, time=value.at
    )


EXAMPLES = (_notice("assigned", _YOURS), _notice("message", _FURTHER))
