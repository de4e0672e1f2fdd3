"""What the desk decided, in intake's tables; and when intake asks it again."""

from __future__ import annotations

import orjson
import pytest

from tests.intake.conftest import Became, Run
from tests.intake.log import Log, published
from tests.intake.tables import state, transcript
from workers.routing.intake.chain import BrokenChainError
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers


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
        self, connection: Connection, log: Log, became: Became, run: Run
    ) -> None:
        log.say("u1", "m1")
        await run(log.batch())
        log.decide("u1", 1, "assigned")
        log.decide("u1", 1, "assigned")
        await run(log.batch())
        assert len(await transcript(connection, "u1")) == 2
        assert became("stale_assignment") == 1

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
