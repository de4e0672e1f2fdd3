"""Intake on a real Postgres: what a batch of records leaves in tables and sends on.

Each test appends records to topics in memory, has the handler apply them as the runtime would, and reads
tables and events.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

import asyncpg
import orjson
import pytest

from schemas.actions import SessionTimer
from schemas.commands import Route, SessionEnded
from schemas.envelope import Kind
from schemas.ids import conversation_id, desk_key, message_id
from schemas.messages import Stored
from tests.intake.conftest import SILENCE_S, Run, register
from tests.intake.log import PAGE, PARTITIONS, WORKSPACE, Log, key_of, lane_of, letters, published
from workers.routing.intake.chain import BrokenChainError
from workers.routing.intake.effects import WrongLaneError
from workers.routing.intake.handler import IntakeHandler
from workers.runtime.batch import Batch, TimerDue
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers


async def transcript(connection: Connection, user: str, page: str = PAGE) -> list[dict[str, Any]]:
    """The lines of a conversation in order."""
    rows = await connection.fetch(
        "SELECT * FROM message WHERE conversation_id = $1 ORDER BY position",
        conversation_id(key_of(user, page)),
    )
    return [dict(row) for row in rows]


async def state(connection: Connection, user: str) -> dict[str, Any]:
    """The row of a conversation."""
    row = await connection.fetchrow(
        "SELECT * FROM conversation WHERE conversation_id = $1", conversation_id(key_of(user))
    )
    assert row is not None
    return dict(row)


class TestFirstMessage:
    async def test_brings_customer_conversation_session_message_and_route(
        self, connection: Connection, log: Log, run: Run
    ) -> None:
        log.say("u1", "m1", customer_name="Trần Văn An", language="vi", sent_at_ms=log.now_ms - 7)
        batch = await run(log.batch())

        customer = await connection.fetchrow("SELECT * FROM customer")
        assert (customer["page_id"], customer["user_id"]) == (PAGE, "u1")
        assert customer["channel_name"] == "Trần Văn An"
        found = await state(connection, "u1")
        assert (found["position"], found["session"], found["session_open"]) == (1, 1, True)
        assert (found["standing"], found["route_unanswered"], found["lane"]) == (
            "idle",
            True,
            lane_of(key_of("u1")),
        )
        session = await connection.fetchrow("SELECT * FROM session")
        assert (session["session"], session["first_position"], session["ended_at"]) == (1, 1, None)
        (line,) = await transcript(connection, "u1")
        assert (line["body"], line["sender"], line["kind"]) == ("text of m1", "customer", "text")
        assert line["message_id"] == message_id(PAGE, "m1")

        ((what, route),) = published(batch, "commands")
        assert what == "route"
        assert Route.model_validate(route).opens_session
        assert (route["position"], route["session"], route["language"]) == (1, 1, "vi")
        (event,) = [
            event for events in batch.events.values() for event in events if event.topic == "commands"
        ]
        assert event.key == desk_key(WORKSPACE, "main").encode()

    async def test_a_further_one_asks_nobody(self, connection: Connection, log: Log, run: Run) -> None:
        log.say("u1", "m1")
        await run(log.batch())
        log.say("u1", "m2")
        batch = await run(log.batch())
        assert published(batch, "commands") == []
        assert [line["position"] for line in await transcript(connection, "u1")] == [1, 2]

    async def test_of_a_new_handler_that_remembers_nothing_continues(
        self, connection: Connection, log: Log, run: Run
    ) -> None:
        log.say("u1", "m1", customer_name="An")
        await run(log.batch())
        log.say("u1", "m2", customer_name="An Trần")
        async with connection.transaction():
            await IntakeHandler(PARTITIONS).handle(connection, log.batch())
        assert (await state(connection, "u1"))["position"] == 2
        assert await connection.fetchval("SELECT channel_name FROM customer") == "An Trần"


class TestStoredEvents:
    async def test_say_the_same_as_the_rows(self, connection: Connection, log: Log, run: Run) -> None:
        log.say("u1", "m1", sent_at_ms=log.now_ms - 250)
        log.say("u1", "m2", text=None, attachments=[{"type": "image", "url": "https://x/1", "name": "ảnh"}])
        log.say("u1", "m3", what="postback", text="Mua")
        log.say("u1", "m4", what="echo", author="human", author_id="7")
        log.decide("u1", 1, "session_opened")
        log.decide("u1", 2, "assigned")
        first = await run(log.batch(4))
        second = await run(log.batch())
        told = [
            Stored.model_validate(value)
            for _, value in published(first, "messages") + published(second, "messages")
        ]
        lines = await transcript(connection, "u1")
        assert len(told) == len(lines) == 5
        for event, line in zip(told, lines, strict=True):
            assert event.conversation == line["conversation_id"]
            assert event.message == line["message_id"]
            assert event.text == line["body"]
            assert event.stored_at == line["stored_at"]
            assert event.params == (None if line["params"] is None else orjson.loads(line["params"]))
            attachments = [] if line["attachments"] is None else orjson.loads(line["attachments"])
            assert [one.model_dump(exclude_none=True) for one in event.attachments] == attachments
            for name in (
                "position",
                "session",
                "sender",
                "sender_id",
                "kind",
                "code",
                "channel_message_id",
                "sent_at",
                "clock_ahead",
                "seq",
            ):
                assert getattr(event, name) == line[name], name
        assert [line["kind"] for line in lines] == ["text", "attachment", "postback", "text", "log"]
        assert [line["seq"] for line in lines] == [0, 0, 0, 0, 2]
        assert [event.epoch for event in told] == [0, 0, 0, 0, 1]

    @pytest.mark.parametrize("sent_at_ms", [0, 253_402_300_799_999])
    async def test_keep_the_channels_time_whatever_it_is(
        self, connection: Connection, log: Log, run: Run, sent_at_ms: int
    ) -> None:
        log.say("u1", "m1", sent_at_ms=sent_at_ms)
        batch = await run(log.batch())
        ((_, value),) = published(batch, "messages")
        (line,) = await transcript(connection, "u1")
        assert Stored.model_validate(value).sent_at == line["sent_at"]
        assert line["clock_ahead"] == (sent_at_ms > log.now_ms)

    async def test_mark_a_clock_that_is_more_than_five_minutes_ahead(
        self, connection: Connection, log: Log, run: Run
    ) -> None:
        log.say("u1", "m1", sent_at_ms=log.now_ms + 300_000)
        log.say("u1", "m2", sent_at_ms=log.now_ms + 300_001)
        await run(log.batch())
        assert [line["clock_ahead"] for line in await transcript(connection, "u1")] == [False, True]


class TestDuplicates:
    async def test_change_nothing_in_one_batch_or_in_two(
        self, connection: Connection, log: Log, handler: IntakeHandler, run: Run
    ) -> None:
        log.say("u1", "m1")
        log.say("u1", "m1")
        await run(log.batch())
        log.say("u1", "m1")
        log.say("u1", "m2")
        batch = await run(log.batch())
        assert [line["channel_message_id"] for line in await transcript(connection, "u1")] == ["m1", "m2"]
        assert len(published(batch, "messages")) == 1
        assert handler.counts.duplicates == 2

    async def test_under_another_customer_id_are_the_first_ones(
        self, connection: Connection, log: Log, run: Run
    ) -> None:
        log.say("u1", "m1")
        await run(log.batch())
        log.say("u2", "m1")
        await run(log.batch())
        assert await connection.fetchval("SELECT count(*) FROM conversation") == 1

    async def test_on_another_page_are_none(self, connection: Connection, log: Log, run: Run) -> None:
        await register(connection, "zalo:9", WORKSPACE)
        log.say("u1", "m1")
        log.say("u1", "m1", page="zalo:9")
        await run(log.batch())
        assert await connection.fetchval("SELECT count(*) FROM message") == 2

    async def test_that_two_workers_store_at_once_are_stored_by_one(
        self, database: str, connection: Connection, log: Log, handler: IntakeHandler, run: Run
    ) -> None:
        """Ours has looked before the other commits: it waits, loses, and finds the message next time."""
        other = await asyncpg.connect(database)
        log.say("u1", "m1")
        theirs = log.batch()
        log.say("u2", "m1")
        ours = log.batch()
        transaction = other.transaction()
        await transaction.start()
        await IntakeHandler(PARTITIONS).handle(other, theirs)
        trying = asyncio.create_task(run(ours))
        await _until_blocked(other, connection.get_server_pid())
        await transaction.commit()
        with pytest.raises(asyncpg.SerializationError, match="another lane"):
            await trying
        handler.forget()
        again = await run(Batch("intake", ours.records, ours.at_ms))
        assert await connection.fetchval("SELECT count(*) FROM message") == 1
        assert (handler.counts.duplicates, again.events) == (1, {})
        await other.close()


async def _until_blocked(connection: Connection, pid: int) -> None:
    """Wait until the session `pid` waits for another one."""
    async with asyncio.timeout(30):
        while not await connection.fetchval("SELECT cardinality(pg_blocking_pids($1)) > 0", pid):
            pass


class TestEchoes:
    async def test_open_no_session_and_ask_nobody(self, connection: Connection, log: Log, run: Run) -> None:
        log.say("u1", "m1", what="echo", author="bot", author_id="app")
        batch = await run(log.batch())
        (line,) = await transcript(connection, "u1")
        assert (line["sender"], line["sender_id"], line["session"]) == ("bot", "app", 0)
        found = await state(connection, "u1")
        assert (found["session_open"], found["timer_at"]) == (False, None)
        assert published(batch, "commands") == []

    async def test_of_people_count_as_the_agents_side(
        self, connection: Connection, log: Log, run: Run
    ) -> None:
        log.say("u1", "m1")
        log.say("u1", "m2", what="echo", author="human")
        log.say("u1", "m3", what="echo", author="bot")
        await run(log.batch())
        found = await state(connection, "u1")
        assert (found["session_customer_messages"], found["session_agent_messages"]) == (1, 1)


class TestAssignmentEvents:
    async def test_set_the_state_and_give_log_lines(self, connection: Connection, log: Log, run: Run) -> None:
        log.say("u1", "m1")
        await run(log.batch())
        log.decide("u1", 1, "session_opened")
        log.decide("u1", 2, "assigned")
        log.say("u1", "m2")
        batch = await run(log.batch())
        found = await state(connection, "u1")
        assert (found["seq"], found["epoch"], found["standing"], found["holder"]) == (2, 1, "held", "lan")
        assert not found["route_unanswered"]
        lines = await transcript(connection, "u1")
        assert [(line["code"], line["seq"]) for line in lines] == [(None, 0), ("assigned", 2), (None, 2)]
        assert orjson.loads(lines[1]["params"]) == {
            "agent": "lan",
            "rule": "sales",
            "rule_version": 3,
            "method": "round_robin",
        }
        assert published(batch, "commands") == []

    @pytest.mark.parametrize("what", ["queued", "offered"])
    async def test_that_leave_somebody_wanted_give_lines_too(
        self, connection: Connection, log: Log, run: Run, what: str
    ) -> None:
        log.say("u1", "m1")
        await run(log.batch())
        log.decide("u1", 1, "session_opened")
        log.decide("u1", 2, what)
        await run(log.batch())
        found = await state(connection, "u1")
        assert (found["standing"], found["route_unanswered"]) == (what, False)
        assert [line["code"] for line in await transcript(connection, "u1")] == [None, what]

    async def test_that_come_again_are_ignored(
        self, connection: Connection, log: Log, handler: IntakeHandler, run: Run
    ) -> None:
        log.say("u1", "m1")
        await run(log.batch())
        log.decide("u1", 1, "assigned")
        log.decide("u1", 1, "assigned")
        await run(log.batch())
        assert len(await transcript(connection, "u1")) == 2
        assert handler.counts.stale_assignments == 1

    async def test_with_a_gap_are_told_loudly(self, log: Log, run: Run) -> None:
        log.say("u1", "m1")
        await run(log.batch())
        log.decide("u1", 2, "assigned")
        with pytest.raises(BrokenChainError, match="has applied its assignment event 0"):
            await run(log.batch())

    async def test_of_nobodys_conversation_are_told_loudly(self, log: Log, run: Run) -> None:
        log.decide("u1", 1, "assigned")
        with pytest.raises(BrokenChainError, match="nobody began"):
            await run(log.batch())


class TestRoutes:
    async def test_are_sent_again_when_nobody_is_wanted_any_more(self, log: Log, run: Run) -> None:
        log.say("u1", "m1")
        await run(log.batch())
        log.decide("u1", 1, "assigned")
        log.decide("u1", 2, "confirmed", standing="idle", holder=None, care="waiting", epoch=1)
        log.say("u1", "m2")
        log.say("u1", "m3")
        batch = await run(log.batch())
        ((_, route),) = published(batch, "commands")
        assert (route["opens_session"], route["position"]) == (False, 3)

    async def test_are_not_answered_by_the_opening_alone(self, log: Log, run: Run) -> None:
        log.say("u1", "m1")
        await run(log.batch())
        log.decide("u1", 1, "session_opened")
        log.say("u1", "m2")
        assert published(await run(log.batch()), "commands") == []


class TestSilence:
    async def test_ends_the_session_and_tells_the_desk(
        self, connection: Connection, log: Log, handler: IntakeHandler, run: Run
    ) -> None:
        log.say("u1", "m1")
        log.say("u1", "m2", what="echo", author="human")
        await run(log.batch())
        log.wait(seconds=SILENCE_S)
        await self._deliver_due(connection, log, handler, 1)
        batch = await run(log.batch())
        found = await state(connection, "u1")
        assert (found["session_open"], found["timer_at"]) == (False, None)
        session = await connection.fetchrow("SELECT * FROM session")
        assert session["ended_by"] == "silence"
        assert (session["ended_at"] - session["opened_at"]).total_seconds() == SILENCE_S
        ((what, value),) = published(batch, "commands")
        ended = SessionEnded.model_validate(value)
        assert what == "session_ended"
        assert (ended.customer_messages, ended.agent_messages, ended.session) == (1, 1, 1)

    async def test_that_a_message_broke_is_waited_for_again(
        self, connection: Connection, log: Log, handler: IntakeHandler, run: Run
    ) -> None:
        log.say("u1", "m1")
        await run(log.batch())
        armed_at = (await state(connection, "u1"))["timer_at"]
        log.wait(seconds=600)
        log.say("u1", "m2")
        await run(log.batch())
        assert (await state(connection, "u1"))["timer_at"] == armed_at
        log.wait(seconds=SILENCE_S - 600)
        await self._deliver_due(connection, log, handler, 1)
        batch = await run(log.batch())
        found = await state(connection, "u1")
        assert found["session_open"]
        assert (found["timer_at"] - found["last_at"]).total_seconds() == SILENCE_S
        assert published(batch, "commands") == []

    async def test_timer_that_the_log_took_too_early_waits_on(
        self, connection: Connection, log: Log, handler: IntakeHandler, run: Run
    ) -> None:
        log.say("u1", "m1")
        await run(log.batch())
        armed_at = (await state(connection, "u1"))["timer_at"]
        ahead_ms = log.now_ms + round(SILENCE_S * 1000)
        await self._deliver_due(connection, log, handler, 1, now_ms=ahead_ms)
        await run(log.batch())
        found = await state(connection, "u1")
        assert (found["session_open"], found["timer_at"]) == (True, armed_at)

    async def test_timer_of_another_session_is_ignored(
        self, connection: Connection, log: Log, handler: IntakeHandler, run: Run
    ) -> None:
        log.say("u1", "m1")
        await run(log.batch())
        log.wait(seconds=SILENCE_S)
        (timer,) = await self._deliver_due(connection, log, handler, 1)
        await run(log.batch())
        log.say("u1", "m2")
        batch = await run(log.batch())
        ((_, route),) = published(batch, "commands")
        assert (route["opens_session"], route["session"]) == (True, 2)
        log.deliver(timer)
        log.say("nobody", "m3", what="other")
        await run(log.batch(1))
        assert (await state(connection, "u1"))["session_open"]
        assert handler.counts.stale_timers == 1
        assert await connection.fetchval("SELECT count(*) FROM session") == 2

    async def test_is_due_only_once_and_only_for_the_lanes_asked(
        self, connection: Connection, log: Log, handler: IntakeHandler, run: Run
    ) -> None:
        for number in range(20):
            log.say(f"u{number}", f"m{number}")
        await run(log.batch())
        log.wait(seconds=SILENCE_S)
        lane = lane_of(key_of("u0"))
        mine = sum(lane_of(key_of(f"u{number}")) == lane for number in range(20))
        assert len(await handler.due_timers(connection, [lane], log.now_ms - 1, 100)) == 0
        assert len(await handler.due_timers(connection, [lane], log.now_ms, 100)) == mine
        assert len(await handler.due_timers(connection, range(PARTITIONS), log.now_ms, 3)) == 3
        rest = await handler.due_timers(connection, range(PARTITIONS), log.now_ms, 100)
        assert len(rest) == 20 - mine - 3
        assert len({timer.id for timer in rest}) == len(rest)

    async def _deliver_due(
        self, connection: Connection, log: Log, handler: IntakeHandler, count: int, now_ms: int | None = None
    ) -> Sequence[TimerDue]:
        async with connection.transaction():
            due = await handler.due_timers(connection, range(PARTITIONS), now_ms or log.now_ms, 100)
        assert len(due) == count
        for timer in due:
            SessionTimer.model_validate_json(timer.value)
            log.deliver(timer)
        return due


class TestRefusals:
    async def test_each_have_a_reason_a_person_understands(
        self, connection: Connection, log: Log, run: Run
    ) -> None:
        message = Kind("inbound", "message")
        await register(connection, "zalo:other", "rival")
        key = key_of("u1")
        log.append(message, key, {}, headers=[])
        log.append(message, key, {}, headers=[("ce_type", b"tongdai.commands.route.v1")])
        log.append(Kind("inbound", "sticker"), key, {})
        log.append(message, key, b"{not json")
        log.append(message, key, b"[" * 100_000)
        log.append(message, key, b"")
        log.say("u1", "m1", text="a\0b")
        log.say("u1", "m2", text=None)
        log.say("u1", "m3", attachments=[{"type": "a\0b"}])
        log.say("u1", "m4", colour="red", urgent=True)
        log.say("u1", "m5", key_bytes=b"messenger:100:u2")
        log.say("u1", "m6", key_bytes=b"\xff\xfe")
        log.say("u1", "m7", page="messenger:nobody")
        log.say("u1", "m8", page="zalo:other", workspace=WORKSPACE)
        log.say("u1", "m9", workspace=WORKSPACE)
        waiting = log.batch()
        records = sorted(waiting.records, key=lambda record: record.headers == [])
        batch = await run(Batch("intake", records, waiting.at_ms))
        told = letters(batch)
        reasons = sorted(reason for reason, _ in told)
        assert reasons == sorted(
            ["unreadable_envelope"] * 2
            + ["unknown_type"]
            + ["unreadable"] * 7
            + ["wrong_key"] * 2
            + ["unknown_page", "wrong_workspace"]
        )
        details = "\n".join(detail for _, detail in told)
        assert "ce_type is missing" in details
        assert "colour: Extra inputs are not permitted; urgent: Extra inputs" in details
        assert "a message needs text or at least one attachment" in details
        assert "no workspace has connected the page messenger:nobody" in details
        assert "does not belong to the workspace acme" in details
        assert "rival" not in details
        assert "text of" not in details
        assert [line["channel_message_id"] for line in await transcript(connection, "u1")] == ["m9"]

    async def test_of_timers_and_assignments_are_told_too(self, log: Log, run: Run) -> None:
        timer = {"workspace": WORKSPACE, "conversation": str(conversation_id("x")), "session": 1}
        due_at = {"due_at": "2026-01-01T00:00:00Z"}
        log.append(Kind("actions", "session_timer"), key_of("u1"), timer)
        log.append(Kind("actions", "session_timer"), key_of("u1"), timer | due_at)
        log.decide("u1", 1, "assigned", key="messenger:100:u2")
        batch = await run(log.batch())
        assert sorted(reason for reason, _ in letters(batch)) == ["unreadable", "wrong_key", "wrong_key"]

    async def test_do_not_concern_other_kinds_of_events(
        self, log: Log, handler: IntakeHandler, run: Run
    ) -> None:
        value = {"channel": "zalo", "account": "1", "user": "u", "event": "user_seen_message"}
        log.append(Kind("inbound", "other"), "zalo:1:u", value)
        batch = await run(log.batch())
        assert (batch.rejected, batch.events, handler.counts.others) == (0, {}, 1)

    async def test_of_an_unknown_page_end_when_it_is_connected(
        self, connection: Connection, log: Log
    ) -> None:
        """A page is looked up again when it was unknown; a known one is believed for a second."""
        now_s = itertools.count(step=0.6)
        handler = IntakeHandler(PARTITIONS, clock_s=lambda: next(now_s))
        reasons = []
        for mid in ("m1", "m2", "m3", "m4", "m5"):
            if mid == "m2":
                await register(connection, "zalo:9", WORKSPACE)
            if mid == "m3":
                await connection.execute("DELETE FROM page_registry WHERE page_id = 'zalo:9'")
            log.say("u1", mid, page="zalo:9")
            batch = log.batch()
            await handler.handle(connection, batch)
            reasons.append([reason for reason, _ in letters(batch)])
        assert reasons == [["unknown_page"], [], [], ["unknown_page"], ["unknown_page"]]


class TestWrongPartition:
    async def test_is_forwarded_as_it_came_with_no_other_effect(
        self, connection: Connection, log: Log, run: Run
    ) -> None:
        wrong = (lane_of(key_of("u1")) + 1) % PARTITIONS
        record = log.say("u1", "m1", lane=wrong)
        batch = await run(log.batch())
        ((event,),) = batch.events.values()
        assert (event.topic, event.key, event.value) == ("inbound", record.key, record.value)
        assert event.headers == record.headers
        assert (batch.forwarded, await connection.fetchval("SELECT count(*) FROM message_seen")) == (1, 0)
        log.say("u1", "m1")
        await run(log.batch())
        log.say("u1", "m2", lane=wrong)
        assert (await run(log.batch())).forwarded == 1

    async def test_of_partitions_that_were_added_is_told_loudly(
        self, connection: Connection, log: Log, run: Run
    ) -> None:
        users = (f"u{number}" for number in range(1000))
        user = next(user for user in users if lane_of(key_of(user)) == PARTITIONS - 1)
        log.say(user, "m1")
        await run(log.batch())
        log.say(user, "m2", lane=0)
        with pytest.raises(WrongLaneError, match="belongs to lane 3"):
            await IntakeHandler(1).handle(connection, log.batch())


class TestMemory:
    async def test_is_bounded(self, connection: Connection, log: Log) -> None:
        handler = IntakeHandler(PARTITIONS, cached_conversations=5)
        for number in range(30):
            log.say(f"u{number % 10}", f"m{number}")
        while (batch := log.batch(7)).records:
            await handler.handle(connection, batch)
            assert len(handler._conversations) <= 5
        for number in range(10):
            lines = await transcript(connection, f"u{number}")
            assert [line["position"] for line in lines] == [1, 2, 3]

    async def test_of_other_lanes_is_kept(
        self, connection: Connection, log: Log, handler: IntakeHandler, run: Run
    ) -> None:
        for number in range(10):
            log.say(f"u{number}", f"m{number}")
        await run(log.batch())
        lane = lane_of(key_of("u0"))
        mine = sum(lane_of(key_of(f"u{number}")) == lane for number in range(10))
        handler.forget([lane])
        assert len(handler._conversations) == 10 - mine
        handler.forget()
        assert len(handler._conversations) == 0
