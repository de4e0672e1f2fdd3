"""What intake does not take: each with a reason, and where it goes."""

from __future__ import annotations

import pytest

from schemas.envelope import Kind
from schemas.ids import conversation_id
from tests.intake.conftest import Became, Run, register
from tests.intake.log import PARTITIONS, WORKSPACE, Log, key_of, lane_of, letters
from tests.intake.tables import transcript
from workers.routing.intake.effects import WrongLaneError
from workers.routing.intake.handler import IntakeHandler
from workers.runtime.batch import Batch
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers


def append_refused(log: Log) -> None:
    """Records that intake does not take."""
    message, key = Kind("inbound", "message"), key_of("u1")
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


class TestRefusals:
    async def test_each_have_a_reason_a_person_understands(
        self, connection: Connection, log: Log, run: Run
    ) -> None:
        await register(connection, "zalo:other", "rival")
        append_refused(log)
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

    async def test_do_not_concern_other_kinds_of_events(self, log: Log, became: Became, run: Run) -> None:
        value = {"channel": "zalo", "account": "1", "user": "u", "event": "user_seen_message"}
        log.append(Kind("inbound", "other"), "zalo:1:u", value)
        batch = await run(log.batch())
        assert (batch.rejected, batch.events, became("other")) == (0, {}, 1)

    async def test_of_an_unknown_page_end_when_it_is_connected(
        self, connection: Connection, log: Log
    ) -> None:
        """A page is looked up again when it was unknown; a known one is believed for a second."""
        now_s = 0.0
        handler = IntakeHandler(PARTITIONS, clock_s=lambda: now_s)
        reasons = []
        for mid in ("m1", "m2", "m3", "m4", "m5"):
            now_s += 0.6
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
        assert event.headers[:-1] == record.headers
        assert event.headers[-1] == ("forwarded_from", b"intake/%d/inbound/0" % wrong)
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
