"""A page's admins are told that it is paused, why, and what they can do; and that it goes on."""

from __future__ import annotations

from uuid import uuid4

import pytest

from checker.facts.transcripts import Transcripts
from checker.invariants.notices import NoticesCheck
from checker.invariants.page_notices import PageNoticesCheck
from checker.invariants.returns import ReturnsCheck
from schemas.envelope import Kind, headers
from schemas.notifications import PagePausedNotice, PageResumedNotice
from schemas.receipts import DeliveryReason
from tests.notifier.failing import CONVERSATION, KEY, standing
from tests.notifier.judged import log
from workers.notifier.handler import NotifierHandler
from workers.notifier.reading import read_record
from workers.runtime.batch import Batch, Record
from workers.runtime.handler import Connection

PAGE_STANDS = Kind("receipts", "page_stands")


def receipt(paused: DeliveryReason | None, *, offset: int = 0, key: str = KEY, body: bytes = b"") -> Record:
    """A record of receipts."""
    said = headers(PAGE_STANDS, id_=uuid4(), source="test", subject=key, time="2026-11-02T08:00:00.000Z")
    value = body or standing(paused).model_dump_json().encode()
    return Record("receipts", CONVERSATION.int % 2, offset, 1_000, key.encode(), value, said)


@pytest.mark.parametrize("one", [receipt(None, key="messenger:page-1:u2"), receipt(None, body=b"{")])
def test_what_cannot_be_understood_is_for_delivery_to_judge(one: Record) -> None:
    assert read_record(one) is None


@pytest.mark.servers
async def test_its_admins_are_told_once_of_each_pause_and_of_its_end(connection: Connection) -> None:
    records = [receipt("token_broken"), receipt("page_blocked", offset=1), receipt(None, offset=2)]
    batch = Batch("notifier", records, [1_000] * 3)
    async with connection.transaction():
        await NotifierHandler().handle(connection, batch)
    events = [event for lane in sorted(batch.events) for event in batch.events[lane]]

    broken, blocked, resumed = (event.value for event in events)
    told = [PagePausedNotice.model_validate_json(value) for value in (broken, blocked)]
    assert [(one.audience, one.reason) for one in told] == [
        ("admins:messenger:page-1", "token_broken"),
        ("admins:messenger:page-1", "page_blocked"),
    ]
    assert told[0].words["vi"].text == "Trang tạm ngừng gửi tin: kết nối của trang đã hết hiệu lực"
    assert told[0].words["en"].advice == "Connect the page again; what waits is sent by itself then"
    assert PageResumedNotice.model_validate_json(resumed).words["en"].text.startswith("The page sends again")
    assert {event.key for event in events} == {b"audience:acme/admins:messenger:page-1"}
    assert await connection.fetchval("SELECT count(*) FROM notice") == 0

    pages = PageNoticesCheck()
    assert list(pages.watch(log((one.key, one.value, one.headers) for one in records))) == []
    check = NoticesCheck({}, Transcripts(), frozenset(), ReturnsCheck({}, [], 1), pages)
    check.walk(log((event.key, event.value, event.headers) for event in events), [])
    assert [tally.as_text() for tally in check.tallies if tally.violated] == []
    assert (pages.once.checked, pages.told.checked) == (3, 3)
