"""notifications: what Minh is told, and what all who may take a conversation are."""

from __future__ import annotations

from typing import Any, Final

from schemas.envelope import Kind
from schemas.ids import agent_key, audience_key, event_id, notice_id
from schemas.notifications import (
    AnswerFailedNotice,
    AssignedNotice,
    AudienceNotice,
    CareChangedNotice,
    ConversationChanged,
    FailedWords,
    MentionNotice,
    MessageNotice,
    Notice,
    NoticeMessage,
    OfferedNotice,
    PagePausedNotice,
    PageResumedNotice,
    PageWords,
    ReadNotice,
    ReturnedNotice,
    TransferEndedNotice,
    TransferOfferedNotice,
    UnassignedNotice,
    WithdrawnNotice,
)
from schemas.receipts import DeliveryReason
from workers.contract.examples.example import Example, at, example
from workers.contract.examples.heard import TEXT
from workers.contract.examples.people import CONVERSATION, KEY, PAGE, WORKSPACE
from workers.wording.delivery import word_delivery
from workers.wording.pages import word_page
from workers.wording.word import LANGUAGES, LanguageCode

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
    how="round_robin",
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


_CHI: Final = "agent:hoa-sen/chi"


def _said(model: type[Notice], seconds: float, **fields: Any) -> Notice:  # noqa: ANN401
    """A notice to Minh at so many seconds after the story's beginning, of an event of its own."""
    id_ = notice_id(event_id("commands", 3, round(seconds), "desk", 0), f"{WORKSPACE}/minh")
    return model(**(_COMMON | fields), notice=id_, at=at(seconds))


def _announced(model: type[AudienceNotice], seconds: float, audience: str, **fields: Any) -> AudienceNotice:  # noqa: ANN401
    """The same to an audience."""
    id_ = notice_id(event_id("commands", 3, round(seconds), "desk", 0), f"{WORKSPACE}/{audience}")
    common = {name: value for name, value in _COMMON.items() if name != "agent"}
    return model(**(common | fields), audience=audience, notice=id_, at=at(seconds))


_NOTE = NoticeMessage(
    position=6, sender="agent", kind="note", text="@minh khách quen, ưu tiên nhé", stored_at=at(90.2)
)
_PERSONAL: dict[str, Notice] = {
    "assigned": _YOURS,
    "message": _FURTHER,
    "mention": _said(MentionNotice, 90.2, unread=2, message=_NOTE, by="chi"),
    "answer_failed": _said(
        AnswerFailedNotice,
        93,
        unread=0,
        answer=event_id("actions", 5, 12, "intake", 0),
        position=5,
        reason="window_closed",
        words={
            language: FailedWords(**word_delivery("failed", "window_closed", language)._asdict())
            for language in LANGUAGES
        },
    ),
    "returned": _said(ReturnedNotice, 94, unread=0, session=1),
    "read": _said(ReadNotice, 95, unread=0, position=6),
    "transfer_offered": _said(
        TransferOfferedNotice, 100, unread=0, by=_CHI, holder="chi", expires_at=at(220)
    ),
    "transfer_ended": _said(
        TransferEndedNotice, 110, unread=0, how="target_offline", colleague="minh", holder="chi"
    ),
    "care_changed": _said(
        CareChangedNotice, 120, unread=0, care="closed_won", former_care="accepted", by=_CHI
    ),
    "unassigned": _said(UnassignedNotice, 130, seq=9, epoch=2, unread=0, how="take_over", by=_CHI, to="chi"),
}
_RULE = "rule:nhanh-tay/0"
_ADMINS = f"admins:{PAGE}"


def _words(paused: DeliveryReason | None) -> dict[LanguageCode, PageWords]:
    return {language: PageWords(**word_page(paused, language)._asdict()) for language in LANGUAGES}


_TO_AUDIENCES: dict[str, AudienceNotice] = {
    "offered": _announced(
        OfferedNotice,
        140,
        _RULE,
        seq=10,
        epoch=2,
        rule="nhanh-tay",
        agents=("minh", "chi"),
        unrouted=False,
        expires_at=at(200),
        unread=3,
    ),
    "withdrawn": _announced(WithdrawnNotice, 150, _RULE, seq=11, epoch=3, holder="chi"),
    "conversation_changed": _announced(
        ConversationChanged,
        151,
        f"page:{PAGE}",
        seq=11,
        epoch=3,
        standing="held",
        holder="chi",
        care="accepted",
        unread=3,
    ),
    "page_paused": _announced(
        PagePausedNotice, 152, _ADMINS, reason="token_broken", words=_words("token_broken")
    ),
    "page_resumed": _announced(PageResumedNotice, 153, _ADMINS, words=_words(None)),
}


def _notice(what: str, value: Notice | AudienceNotice) -> Example:
    key = _AGENT if isinstance(value, Notice) else audience_key(value.workspace, value.audience)
    source = "tongdai/notifier/5"
    return example(
        Kind("notifications", what), value, key=key, source=source, id_=value.notice, time=value.at
    )


EXAMPLES = tuple(_notice(what, value) for what, value in (_PERSONAL | _TO_AUDIENCES).items())
