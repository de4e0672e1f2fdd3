"""What intake remembers between batches is bounded and can be dropped by lane."""

from __future__ import annotations

import pytest

from tests.intake.conftest import Run
from tests.intake.log import PARTITIONS, Log, key_of, lane_of
from tests.intake.tables import transcript
from workers.routing.intake.handler import IntakeHandler
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers


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
