"""Notices as they are published, held against their models."""

from __future__ import annotations

from uuid import UUID

import pytest

from schemas.ids import notice_id
from schemas.messages import MessageAttachment
from schemas.notifications import AssignedNotice, MessageNotice, NoticeMessage
from tests.notifier.history import History
from workers.notifier.notices import issue
from workers.notifier.recipients import Told

CAUSE = UUID(int=7)


def assigned(message: NoticeMessage | None) -> Told:
    history = History("u1", sessions=[1])
    history.assign("an", after_position=1)
    event = history.steps[0].event
    return Told(CAUSE, event, "an", 1, 3, message)  # type: ignore[arg-type]


def spoken(**changes: object) -> Told:
    message = History("u1", sessions=[1]).say("customer", seq=2, epoch=1).message
    return Told(CAUSE, message.model_copy(update=changes), "binh", 4, 5)


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
    ],
)
def test_what_is_published_is_exactly_what_the_model_would_write(told: Told) -> None:
    issued = issue(told)
    model = AssignedNotice if issued.kind.what == "assigned" else MessageNotice
    notice = model.model_validate_json(issued.value)

    assert model.model_validate_json(notice.model_dump_json()) == notice
    assert notice.notice == issued.notice == notice_id(CAUSE, f"acme/{told.agent}")
    assert (notice.workspace, notice.agent, notice.conversation) == ("acme", told.agent, issued.conversation)
    assert (notice.key, notice.page, notice.channel) == (told.about.key, told.about.page, "messenger")
    assert (notice.seq, notice.epoch, notice.unread) == (told.about.seq, told.epoch, told.unread)
    assert notice.at == issued.at
    assert issued.key == f"agent:acme/{told.agent}".encode()
    assert issued.position == (notice.message.position if notice.message else 0)


def test_a_message_notice_says_what_was_said() -> None:
    told = spoken(text=None, kind="attachment", attachments=ATTACHMENTS)
    notice = MessageNotice.model_validate_json(issue(told).value)

    assert notice.message == NoticeMessage.model_validate(told.about.model_dump())
    assert notice.message.attachments == ATTACHMENTS
