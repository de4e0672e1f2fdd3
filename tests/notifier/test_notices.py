"""Notices as they are published, held against their models."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
import pytest

from schemas.assignments import Transferring
from schemas.catalogue import RECORDS
from schemas.ids import notice_id
from schemas.messages import MessageAttachment
from schemas.notifications import MessageNotice, NoticeMessage
from schemas.receipts import Delivery, DeliveryReason
from tests.notifier.failing import CONVERSATION, failure, standing
from tests.notifier.history import BEGIN, WORKSPACE, History
from workers.notifier.announcements import page_stands
from workers.notifier.conversation import Conversation, Paged
from workers.notifier.notices import Issued, issue
from workers.notifier.personal import circle, tell
from workers.notifier.recipients import fail
from workers.notifier.told import Announced, Told

CAUSE = UUID(int=7)
MINH = f"agent:{WORKSPACE}/minh"


def assigned(message: NoticeMessage | None) -> Told:
    history = History("u1", sessions=[1])
    history.assign("an", after_position=1)
    how = {"how": "round_robin", "by": None}
    return Told("assigned", CAUSE, history.steps[0].event, "an", 1, 3, message, how)


def spoken(what: str = "message", **changes: object) -> Told:
    message = History("u1", sessions=[1]).say("customer", seq=2, epoch=1).message.model_copy(update=changes)
    more = {"by": "an"} if what == "mention" else {}
    return Told(what, CAUSE, message, "binh", 4, 5, message, more)


def changed(what: str, **more: object) -> Told:
    return assigned(None)._replace(what=what, agent="binh", more=more)


def announced(what: str, **more: object) -> Announced:
    history = History("u1", sessions=[1])
    history.offer("rule:r/0", after_position=1)
    return Announced(what, CAUSE, history.steps[0].event, "rule:r/0", more)


def paged(paused: DeliveryReason | None) -> Announced:
    told = page_stands(
        Conversation(WORKSPACE, CONVERSATION, 0, seq=1, epoch=1), Paged(CAUSE, standing(paused))
    )
    return told._replace(audience="rule:r/0")  # as the others here


def failed(**changes: object) -> Told:
    (told,) = fail(Conversation(WORKSPACE, CONVERSATION, 0, seq=7, epoch=2), failure(CAUSE, **changes))
    return told


def said(value: object) -> object:
    """As the notifier has put it together."""
    return {name: words.model_dump() for name, words in value.items()} if isinstance(value, dict) else value


def model_of(issued: Issued) -> Any:  # noqa: ANN401 - of any kind
    """What is published, once it is exactly what its model would write."""
    model = RECORDS[issued.kind]
    notice = model.model_validate_json(issued.value)
    assert model.model_validate_json(notice.model_dump_json()) == notice
    assert set(orjson.loads(issued.value)) <= set(model.model_fields)
    return notice


ATTACHMENTS = (
    MessageAttachment(type="image", url="https://a/b"),
    MessageAttachment(type="location", latitude=10.7, longitude=106.6),
)


@pytest.mark.parametrize(
    "told",
    [
        assigned(None),
        assigned(NoticeMessage.model_validate(spoken().about.model_dump())),
        spoken(),
        spoken(text=None, kind="attachment", attachments=ATTACHMENTS),
        spoken("mention", kind="note"),
        changed("unassigned", how="take_over", by="agent:acme/chi", to="chi"),
        changed("unassigned", how="refused", by=None, to=None),
        changed("transfer_offered", by="agent:acme/an", holder="an", to_department=None, expires_at=BEGIN),
        changed("transfer_ended", how="rejected", colleague="chi", holder="an"),
        changed("transfer_ended", how="overtaken", holder=None),
        changed("care_changed", care="refused", former_care="accepted", reason="spam", by="agent:acme/chi"),
        failed(reason="window_closed"),
        failed(reason=None),
        Told("read", CAUSE, History("u1").read("an", 4, seq=2, epoch=1).read, "an", 1, 0),
    ],
    ids=lambda told: told.what,
)
def test_what_an_agent_is_told_is_exactly_what_the_model_would_write(told: Told) -> None:
    issued = issue(told)
    notice = model_of(issued)

    assert issued.kind.what == told.what
    assert notice.notice == notice_id(CAUSE, f"acme/{told.agent}")
    assert (notice.workspace, notice.agent) == ("acme", told.agent)
    assert (notice.key, notice.page, notice.channel) == (told.about.key, told.about.page, "messenger")
    assert (notice.seq, notice.epoch, notice.unread) == (told.seq, told.epoch, told.unread)
    assert issued.key == f"agent:acme/{told.agent}".encode()
    assert {name: said(getattr(notice, name)) for name in told.more} == told.more
    if told.what == "read":
        assert issued.row is None
        return
    assert issued.row is not None
    spoken_of = told.about if isinstance(told.about, Delivery) else told.message
    assert issued.row.position == (spoken_of.position if spoken_of else 0)
    assert (issued.row.notice, issued.row.at) == (notice.notice, notice.at)


@pytest.mark.parametrize(
    "told",
    [
        announced("offered", rule="r", agents=("an",), unrouted=False, expires_at=BEGIN, unread=3),
        announced("offered", rule=None, agents=(), unrouted=True, expires_at=None, unread=0),
        announced("withdrawn", holder="an"),
        announced("conversation_changed", standing="held", holder="an", care="accepted", unread=1),
        paged("token_broken"),
        paged(None),
    ],
    ids=lambda told: told.what,
)
def test_what_an_audience_is_told_is_one_record_without_a_row(told: Announced) -> None:
    issued = issue(told)
    notice = model_of(issued)

    assert (issued.key, issued.row) == (f"audience:{WORKSPACE}/rule:r/0".encode(), None)
    assert (notice.audience, notice.seq, notice.channel) == ("rule:r/0", 1, "messenger")
    assert {name: said(getattr(notice, name)) for name in told.more} == told.more


def test_a_withdrawal_and_an_offer_of_one_event_are_two_notices() -> None:
    one = [issue(announced("withdrawn", holder=None)), issue(announced("offered", unrouted=True, unread=0))]
    assert len({orjson.loads(each.value)["notice"] for each in one}) == 2


def test_a_message_notice_says_what_was_said() -> None:
    told = spoken(text=None, kind="attachment", attachments=ATTACHMENTS)
    notice = MessageNotice.model_validate_json(issue(told).value)

    assert notice.message == NoticeMessage.model_validate(told.about.model_dump())
    assert notice.message.attachments == ATTACHMENTS


def test_who_is_asked_no_more_while_others_are_learns_why() -> None:
    history = History("u1", sessions=[1])
    offer = {"to_agent": None, "to_department": "d", "by": MINH, "command": "k", "expires_at": BEGIN}
    more = {"rejected": ("binh",), "again": "asked", **offer}
    history.decide(Transferring, holder="minh", after_position=1, agents=("an",), **more)
    conversation = Conversation(WORKSPACE, CONVERSATION, 0, holder="minh", asked=("an",))
    was = circle(conversation)._replace(asked=("an", "binh", "chi"))
    told = tell(conversation, CAUSE, history.steps[0].event, was, None, 0)
    assert [(one.agent, one.what, one.more["how"]) for one in told] == [
        ("binh", "transfer_ended", "rejected"),
        ("chi", "transfer_ended", "target_left"),
    ]
