"""Whose answer has failed is told, once, with the reason and what he can do; nobody else is."""

from __future__ import annotations

from uuid import UUID, uuid4

import orjson
import pytest

from checker.facts.own_sent import OwnSent
from checker.facts.transcripts import Transcripts
from checker.invariants.notices import NoticesCheck
from checker.invariants.page_notices import PageNoticesCheck
from checker.invariants.returns import ReturnsCheck
from checker.rows import NoticeRow
from schemas.envelope import Kind, headers
from schemas.notifications import AnswerFailedNotice
from schemas.receipts import Delivery
from tests.notifier.failing import ANSWER, CONVERSATION, KEY, delivery, failure
from tests.notifier.ground import Line, record, store_transcript
from tests.notifier.history import WORKSPACE, History
from tests.notifier.judged import NOTICES, log
from workers.notifier.conversation import Conversation
from workers.notifier.handler import NotifierHandler
from workers.notifier.reading import read_record
from workers.notifier.recipients import fail
from workers.runtime.batch import Batch, Event, Record
from workers.runtime.handler import Connection

DELIVERY = Kind("receipts", "delivery")


def receipt(value: Delivery | bytes, *, offset: int = 0, kind: Kind = DELIVERY, key: str = KEY) -> Record:
    """A record of receipts."""
    body = value if isinstance(value, bytes) else value.model_dump_json().encode()
    said = headers(kind, id_=uuid4(), source="test", subject=key, time="2026-11-02T08:00:00.000Z")
    return Record("receipts", CONVERSATION.int % 2, offset, 1_000, key.encode(), body, said)


def test_the_agent_who_wrote_it_is_told_why_and_what_to_do_whoever_has_it_now() -> None:
    conversation = Conversation(WORKSPACE, CONVERSATION, 0, seq=9, epoch=3, holder="binh")
    (told,) = fail(conversation, failure(UUID(int=1)))
    assert (told.what, told.agent, told.seq, told.epoch, told.unread) == ("answer_failed", "an", 9, 3, 0)
    assert (told.more["answer"], told.more["reason"]) == (ANSWER, "window_closed")
    vi, en = told.more["words"]["vi"], told.more["words"]["en"]
    assert vi["text"].startswith("Không gửi được: khách nhắn lần cuối đã quá lâu")
    assert en["advice"] == "Wait until the customer writes again, or call"


@pytest.mark.parametrize("sender", ["service:bot", "cli:1", "system", "agent:other/an", "agent:acme/"])
def test_who_is_no_agent_of_the_workspace_is_not_told(sender: str) -> None:
    assert fail(Conversation(WORKSPACE, CONVERSATION, 0), failure(UUID(int=1), sender=sender)) == []


@pytest.mark.parametrize(
    "one",
    [
        *(receipt(delivery(state=state)) for state in ("queued", "sent", "delivered", "read", "unknown")),
        receipt(delivery(state="queued", sender='agent:acme/"failed"')),
        receipt(b'{"state":"failed"}'),
        receipt(b'"failed"'),
        receipt(delivery(), key="messenger:page-1:u2"),
        receipt(delivery(), kind=Kind("receipts", "arrival")),
        receipt(delivery(), kind=Kind("receipts", "of_a_later_version")),
    ],
)
def test_all_else_on_receipts_is_passed_over_for_delivery_to_judge(one: Record) -> None:
    assert read_record(one) is None


@pytest.mark.servers
async def test_failures_come_to_their_authors_among_all_else_and_change_no_numbers(
    connection: Connection,
) -> None:
    history = History("u1", sessions=[1])
    history.say("customer", seq=0, epoch=0)
    history.assign("an", after_position=1)
    await store_transcript(connection, history)
    lines: list[Line] = [*history.steps, *history.transcript]
    receipts = [
        receipt(delivery(state="queued", reason=None, version=1), offset=0),
        receipt(delivery(), offset=1),
        receipt(delivery(message=uuid4(), position=5, sender="agent:acme/binh", reason=None), offset=2),
        receipt(b"{", offset=3),
    ]
    handler = NotifierHandler()
    first = await run(connection, handler, [record(line, 0) for line in lines] + receipts)
    handler.forget()
    later = receipt(delivery(message=uuid4(), position=6, reason="policy"), offset=4)
    events = first + await run(connection, handler, [later])

    told = [
        AnswerFailedNotice.model_validate_json(event.value)
        for event in events
        if (b"answer_failed" in dict(event.headers)["ce_type"])
    ]
    assert [(one.agent, one.position, one.reason) for one in told] == [
        ("an", 4, "window_closed"),
        ("binh", 5, None),
        ("an", 6, "policy"),
    ]
    assert [(one.seq, one.unread) for one in told] == [(1, 1), (1, 0), (1, 1)]
    row = await connection.fetchrow("SELECT seq, position, last_at FROM notifier_conversation")
    assert tuple(row) == (1, 1, history.messages[0].message.stored_at)
    own = OwnSent(log((one.key, one.value, one.headers) for one in [*receipts[:3], later]))
    assert len(own.failed) == 3
    check = NoticesCheck({}, Transcripts(), own.failed, ReturnsCheck({}, [], 1), PageNoticesCheck())
    failures = [event for event in events if orjson.loads(event.value).get("answer")]
    rows = [NoticeRow(*row) for row in await connection.fetch(NOTICES) if row["kind"] == "answer_failed"]
    check.walk(log((event.key, event.value, event.headers) for event in failures), rows)
    assert [tally.as_text() for tally in check.tallies if tally.violated] == []
    assert check.failures.checked == 3


async def run(connection: Connection, handler: NotifierHandler, records: list[Record]) -> list[Event]:
    """One batch in one transaction, in which nothing is refused."""
    batch = Batch("notifier", records, [one.timestamp_ms for one in records])
    async with connection.transaction():
        await handler.handle(connection, batch)
    assert batch.rejected == 0
    return [event for lane in sorted(batch.events) for event in batch.events[lane]]
