"""The timers of open sessions: found when they are due, and sent to their own lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from schemas.actions import SessionTimer, SilenceTimer
from schemas.envelope import Kind
from schemas.ids import EVENTS, uuid5
from workers.routing.intake.conversations import Name
from workers.runtime.batch import TimerDue
from workers.runtime.handler import Connection

SESSION_TIMER = Kind("actions", "session_timer")
SILENCE_TIMER = Kind("actions", "silence_timer")

# Of each lane the oldest by either index, in one round trip: this is asked all the time.
DUE = """
SELECT due.workspace_id, due.conversation_id, due.key, due.lane, due.session, due.due_at, due.ends
FROM unnest($1::int[]) AS mine (lane)
CROSS JOIN LATERAL (
    (SELECT workspace_id, conversation_id, key, lane, session, timer_at AS due_at, true AS ends
    FROM conversation
    WHERE lane = mine.lane AND timer_at IS NOT NULL AND timer_at <= $2
    ORDER BY timer_at
    LIMIT $3)
    UNION ALL
    (SELECT workspace_id, conversation_id, key, lane, session, silence_at, false
    FROM conversation
    WHERE lane = mine.lane AND silence_at IS NOT NULL AND silence_at <= $2
    ORDER BY silence_at
    LIMIT $3)
) AS due
LIMIT $3
"""

# The last conditions always hold. They let the planner expect few rows, so that it uses the index even when
# the plan was made while the table was empty.
DISARM = """
UPDATE conversation AS armed SET timer_at = NULL
FROM unnest($1::text[], $2::uuid[], $3::int[]) AS due (workspace_id, conversation_id, session)
WHERE armed.workspace_id = due.workspace_id AND armed.conversation_id = due.conversation_id
    AND due.session > 0 AND due.workspace_id > ''
"""
DISARM_SILENCE = DISARM.replace("timer_at", "silence_at")


async def take_due(
    connection: Connection, lanes: Sequence[int], now: datetime, limit: int
) -> list[tuple[Name, TimerDue]]:
    """The timers of `lanes` that are due at `now`, at most `limit`, disarmed since they are on their way."""
    rows = await connection.fetch(DUE, lanes, now, limit)
    for statement, ends in ((DISARM, True), (DISARM_SILENCE, False)):
        due = [
            (row["workspace_id"], row["conversation_id"], row["session"])
            for row in rows
            if row["ends"] is ends
        ]
        if due:
            await connection.execute(statement, *map(list, zip(*due, strict=True)))
    return [((row["workspace_id"], row["key"].encode()), _due(row)) for row in rows]


def _due(row: Mapping[str, Any]) -> TimerDue:
    model, kind = (SessionTimer, SESSION_TIMER) if row["ends"] else (SilenceTimer, SILENCE_TIMER)
    timer = model(
        workspace=row["workspace_id"],
        conversation=row["conversation_id"],
        session=row["session"],
        due_at=row["due_at"],
    )
    word = "timer" if row["ends"] else "silence"
    named = f"{word}/{timer.workspace}/{timer.conversation}/{timer.session}/{timer.due_at.timestamp()}"
    return TimerDue(
        lane=row["lane"],
        topic=kind.topic,
        id=uuid5(EVENTS, named),
        key=row["key"].encode(),
        kind=kind,
        value=timer.model_dump_json().encode(),
    )
