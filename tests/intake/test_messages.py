"""What a customer says, on a real Postgres: transcript, customer, session, and what is sent on."""

from __future__ import annotations

import orjson
import pytest

from schemas.commands import Route
from schemas.ids import desk_key, message_id
from schemas.messages import Stored
from tests.intake.conftest import Run
from tests.intake.log import PAGE, PARTITIONS, WORKSPACE, Log, key_of, lane_of, published
from tests.intake.tables import state, transcript
from workers.routing.intake.handler import IntakeHandler
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers


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
