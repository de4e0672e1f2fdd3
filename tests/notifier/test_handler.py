"""The handler on a real PostgreSQL: tables and events, set-based, over batches, restarts and bad records."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import orjson
import pytest

from schemas import messages
from schemas.envelope import Kind, header, headers, read_kind
from schemas.notifications import AssignedNotice
from tests.notifier.ground import (
    LANES,
    Line,
    assert_lists_are_right,
    notified,
    record,
    store_transcript,
    stored_notices,
)
from tests.notifier.history import BEGIN, WORKSPACE, History, Notified, invent
from tests.notifier.judged import judge
from workers.notifier.handler import NotifierHandler
from workers.notifier.recipients import BrokenChainError
from workers.runtime.batch import Batch, Event, Record
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers

NOT_IN_THEM = {
    "a customer's return is told to all who follow him then, once each, and nobody else",
    "each time a page is paused or goes on is on receipts once",
    "each time a page is paused or goes on its admins are told so once",
}
"""Nobody in these histories leaves and comes back, and no page of theirs is paused."""


def batch(records: Sequence[Record]) -> Batch:
    return Batch("notifier", records, [record.timestamp_ms for record in records])


async def run(connection: Connection, handler: NotifierHandler, records: Sequence[Record]) -> list[Event]:
    """One batch in one transaction; the events in the order of lanes."""
    done = batch(records)
    async with connection.transaction():
        await handler.handle(connection, done)
    return [event for lane in sorted(done.events) for event in done.events[lane]]


def kind_of(event: Event) -> str:
    return read_kind(event.headers, event.topic).what


def all_notified(events: Sequence[Event]) -> list[Notified]:
    assert {event.topic for event in events} <= {"notifications"}
    found = [notified(kind_of(event), event.key, event.value) for event in events]
    return [each for each in found if each is not None]


def batches(histories: Sequence[History], dice: random.Random) -> list[list[Record]]:
    """All records of the histories in batches as the runtime makes them, either topic ahead of the other."""
    logs: dict[tuple[str, int], list[Record]] = {}
    for history in histories:
        lines: list[Line] = [*history.steps, *history.transcript]
        for line in lines:
            one = record(line, 0)
            log = logs.setdefault((one.topic, one.lane), [])
            log.append(record(line, len(log)))
    made = []
    while any(logs.values()):
        lane = dice.randrange(LANES)
        assignments, messages = logs.get(("assignments", lane), []), logs.get(("messages", lane), [])
        ahead = dice.choice(((0, 30), (30, 0), (5, 5), (40, 40)))
        inputs = [assignments[: ahead[0]], messages[: ahead[1]]]
        dice.shuffle(inputs)
        made.append([*inputs[0], *inputs[1]])
        del assignments[: ahead[0]]
        del messages[: ahead[1]]
    return [records for records in made if records]


def assert_announced(histories: Sequence[History], events: Sequence[Event]) -> None:
    """Each offer and withdrawal was published once; what changed last in a conversation is how it stands."""
    found: Counter[tuple[UUID, str, str, int]] = Counter()
    changed = {}
    for event in events:
        value = orjson.loads(event.value)
        if event.key.startswith(b"audience:") and kind_of(event) != "conversation_changed":
            conversation = UUID(value["conversation"])
            found[conversation, kind_of(event), value["audience"], value["seq"]] += 1
        elif event.key.startswith(b"audience:"):
            assert event.key == f"audience:{WORKSPACE}/page:messenger:page-1".encode()
            changed[UUID(value["conversation"])] = value["standing"], value["holder"]
    expected = Counter(
        (history.conversation, *one) for history in histories for one in history.expected_announcements()
    )
    assert found == expected
    for history in histories:
        if history.conversation in changed:
            last = history.steps[-1].event
            assert changed[history.conversation] == (last.standing, last.holder)


@pytest.mark.parametrize("seed", range(6))
async def test_batches_in_any_order_tell_count_and_clean_up(connection: Connection, seed: int) -> None:
    dice = random.Random(seed)
    count, length = (40, 80) if seed == 0 else (12, 40)
    histories = [invent(dice.randrange(2**32), f"u{number}", length) for number in range(count)]
    for history in histories:
        await store_transcript(connection, history)
    handler = NotifierHandler(conversations_max=5)
    published: list[Event] = []
    for records in batches(histories, dice):
        published += await run(connection, handler, records)
        if dice.random() < 0.3:
            handler.forget(dice.choice((None, [0], [0, 1])))

    expected = Counter(notice for history in histories for notice in history.expected())
    assert Counter(all_notified(published)) == expected
    assert Counter(await stored_notices(connection)) == expected
    await assert_lists_are_right(connection, histories)
    assert await connection.fetchval("SELECT count(*) FROM notifier_held") == 0
    assert_announced(histories, published)
    judged = await judge(connection, histories, published)
    assert [tally.as_text() for tally in judged if tally.violated] == []
    # A dozen histories need not have one of each.
    assert seed > 0 or {tally.title for tally in judged if not tally.checked} == NOT_IN_THEM
    named = {history.conversation: history.messages[-1].message.seq for history in histories}
    for conversation, first in await connection.fetch(
        "SELECT conversation_id, min(seq) FROM notifier_recipient GROUP BY 1"
    ):
        assert first == max(named[conversation], 1)


def first_message(user: str = "u1") -> History:
    """A customer wrote once, and An got the conversation."""
    history = History(user, sessions=[1])
    history.say("customer", seq=0, epoch=0)
    history.assign("an", after_position=1)
    return history


async def test_the_same_batch_run_again_publishes_the_same(connection: Connection) -> None:
    history = first_message()
    await store_transcript(connection, history)
    records = [record(history.steps[0], 0), record(history.messages[0], 0)]
    handler = NotifierHandler()
    attempts = []
    for _ in range(2):
        transaction = connection.transaction()
        await transaction.start()
        one = batch(records)
        await handler.handle(connection, one)
        await transaction.rollback()
        handler.forget()
        attempts.append(one.events)
    assert attempts[0] == attempts[1]
    (lane,) = attempts[0].values()
    assert [kind_of(event) for event in lane] == ["assigned", "conversation_changed"]


async def test_an_assigned_notice_carries_the_message_with_its_attachments(connection: Connection) -> None:
    history = first_message()
    await store_transcript(connection, history)
    await connection.execute(
        "UPDATE message SET attachments = $1", '[{"type": "image", "url": "https://a/b"}]'
    )
    event, _ = await run(connection, NotifierHandler(), [record(history.steps[0], 0)])

    notice = AssignedNotice.model_validate_json(event.value)
    assert (notice.channel, notice.unread, notice.epoch, notice.at) == (
        "messenger",
        1,
        1,
        history.steps[0].event.at,
    )
    assert notice.message is not None
    assert notice.message.text == "dòng 1"
    assert [(each.type, each.url) for each in notice.message.attachments] == [("image", "https://a/b")]


async def test_an_assigned_notice_without_a_message_says_so(connection: Connection) -> None:
    event, _ = await run(connection, NotifierHandler(), [record(first_message().steps[0], 0)])

    assert orjson.loads(event.value)["message"] is None
    assert (await stored_notices(connection))[0].position == 0


async def test_a_gap_raises_and_stores_nothing(connection: Connection) -> None:
    history = first_message()
    history.assign("binh", after_position=1)
    with pytest.raises(BrokenChainError, match="event 2 came after 0"):
        await run(connection, NotifierHandler(), [record(history.steps[1], 0)])
    assert await connection.fetchval("SELECT count(*) FROM inbox") == 0


async def test_messages_held_are_kept_over_a_restart(connection: Connection) -> None:
    history = first_message()
    history.say("customer", seq=1, epoch=1)
    await store_transcript(connection, history)
    heard = [record(one, offset) for offset, one in enumerate(history.messages)]
    assert await run(connection, NotifierHandler(), heard) == []
    assert await connection.fetchval("SELECT count(*) FROM notifier_held") == 1

    events = await run(connection, NotifierHandler(), [record(history.steps[0], 0)])
    assert Counter(all_notified(events)) == Counter(history.expected())
    assert await connection.fetchval("SELECT count(*) FROM notifier_held") == 0


def mended(good: Record, **changes: object) -> Record:
    fields = {name: getattr(good, name) for name in Record.__slots__}
    return Record(**(fields | changes))


BAD: dict[str, dict[str, object]] = {
    "unreadable_envelope": {"headers": []},
    "unknown_type": {"headers": [("ce_type", b"tongdai.messages.sung.v1"), ("ce_id", b"0" * 32)]},
    "unreadable": {"value": b'{"text": "secret"}'},
    "wrong_key": {"key": b"messenger:page-1:someone-else"},
}


@pytest.mark.parametrize("reason", BAD)
async def test_what_cannot_be_understood_is_a_dead_letter(connection: Connection, reason: str) -> None:
    bad = mended(record(first_message().messages[0], 7), **BAD[reason])
    (event,) = await run(connection, NotifierHandler(), [bad])

    assert (event.topic, event.key, event.value) == ("deadletter", bad.key, bad.value)
    assert header(event.headers, "deadletter_reason") == reason.encode()
    assert b"secret" not in (header(event.headers, "deadletter_detail") or b"")


async def test_an_event_without_id_is_a_dead_letter(connection: Connection) -> None:
    good = record(first_message().messages[0], 0)
    for id_ in (None, b"7"):
        others = [pair for pair in good.headers if pair[0] != "ce_id"]
        bad = mended(good, headers=[*others, *([("ce_id", id_)] if id_ else [])])
        (event,) = await run(connection, NotifierHandler(), [bad])
        assert header(event.headers, "deadletter_reason") == b"unreadable_envelope"


async def test_what_is_said_to_others_is_passed_over(connection: Connection) -> None:
    value = messages.CustomerChanged(
        **first_message()
        .messages[0]
        .message.model_dump(include={"workspace", "desk", "conversation", "key"}),
        page="messenger:page-1",
        profile={},
        tags=("VIP",),
        groups=(),
        by=None,
        at=BEGIN,
    )
    kind = Kind("messages", "customer_changed")
    named = headers(kind, id_=UUID(int=1), source="test", subject=value.key, time="2026-11-02T08:00:00.000Z")
    good = record(first_message().messages[0], 0)
    other = mended(good, value=value.model_dump_json().encode(), headers=named)
    assert await run(connection, NotifierHandler(), [other]) == []


async def test_it_has_no_timers(connection: Connection) -> None:
    assert await NotifierHandler().due_timers(connection, [0], 0, 10) == ()
