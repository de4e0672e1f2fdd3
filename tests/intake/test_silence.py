"""Sessions end by silence, whatever a worker's clock says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from schemas.actions import SessionTimer
from schemas.commands import SessionEnded
from tests.intake.conftest import SILENCE_S, Became, Run
from tests.intake.log import PARTITIONS, Log, key_of, lane_of, published
from tests.intake.tables import state
from workers.routing.intake.handler import IntakeHandler
from workers.runtime.batch import TimerDue
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers


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
        self, connection: Connection, log: Log, handler: IntakeHandler, became: Became, run: Run
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
        assert became("stale_timer") == 1
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
