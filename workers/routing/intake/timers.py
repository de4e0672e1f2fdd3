"""The silence timers of open sessions: found when they are due, and sent to their own lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from schemas.actions import SessionTimer
from schemas.envelope import Kind
from schemas.ids import EVENTS, uuid5
from workers.routing.intake.conversations import Name
from workers.runtime.batch import TimerDue
from workers.runtime.handler import Connection

SESSION_TIMER = Kind("actions", "session_timer")

_DUE = """
SELECT due.ctid, due.workspace_id, due.conversation_id, due.key, due.lane, due.session, due.timer_at
FROM unnest($1::int[]) AS mine (lane)
CROSS JOIN LATERAL (
    SELECT ctid, workspace_id, conversation_id, key, lane, session, timer_at
    FROM conversation
    WHERE lane = mine.lane AND timer_at IS NOT NULL AND timer_at <= $2
    ORDER BY timer_at
    LIMIT $3
) AS due
LIMIT $3
"""

# By the place of the row: it has been read in this transaction, and only the lane's owner writes it.
_DISARM = "UPDATE conversation SET timer_at = NULL WHERE ctid = ANY($1::tid[])"


async def take_due(
    connection: Connection, lanes: Sequence[int], now: datetime, limit: int
) -> list[tuple[Name, TimerDue]]:
    """The timers of `lanes` that are due at `now`, at most `limit`, disarmed since they are on their way."""
    rows = await connection.fetch(_DUE, lanes, now, limit)
    if rows:
        await connection.execute(_DISARM, [row["ctid"] for row in rows])
    return [((row["workspace_id"], row["key"].encode()), _due(row)) for row in rows]


def _due(row: Mapping[str, Any]) -> TimerDue:
    timer = SessionTimer(
        workspace=row["workspace_id"],
        conversation=row["conversation_id"],
        session=row["session"],
        due_at=row["timer_at"],
    )
    named = f"timer/{timer.workspace}/{timer.conversation}/{timer.session}/{timer.due_at.timestamp()}"
    return TimerDue(
        lane=row["lane"],
        topic=SESSION_TIMER.topic,
        id=uuid5(EVENTS, named),
        key=row["key"].encode(),
        kind=SESSION_TIMER,
        value=timer.model_dump_json().encode(),
    )
