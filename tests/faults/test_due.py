"""A run does not end while something will be said by itself."""

from __future__ import annotations

import asyncpg
import pytest

from faults.ground import DUE

pytestmark = pytest.mark.servers

ANSWER = """
INSERT INTO delivery (workspace_id, message_id, desk_id, lane, conversation_id, key, page_id, position,
    sender, parts, state, reason, told, changed_at)
VALUES ('acme', gen_random_uuid(), 'main', 1, gen_random_uuid(), 'messenger:100:u1', 'messenger:100', 1,
    'agent:acme/lan', 1, 'unknown', 'no_answer', false, now())
"""
TIMER = """
INSERT INTO desk_timer (workspace_id, desk_id, timer, subject, lane, due_at)
VALUES ('acme', 'main', 'transfer', $1, 1, now() + make_interval(secs => $2))
"""


async def test_timers_that_come_due_while_it_stops_and_answers_not_told_of_are_waited_for(
    database: str,
) -> None:
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(TIMER, "messenger:100:u1", 60.0)
        assert await connection.fetchval(DUE, 15.0) == 0
        await connection.execute(TIMER, "messenger:100:u2", 5.0)
        assert await connection.fetchval(DUE, 15.0) == 1
        await connection.execute(ANSWER)
        assert await connection.fetchval(DUE, 15.0) == 2
        await connection.execute("UPDATE delivery SET told = true")
        assert await connection.fetchval(DUE, 15.0) == 1
    finally:
        await connection.close()
