"""The timers of desks as rows of desk_timer: what is armed, and what has come due."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from schemas.commands import TimerFired
from schemas.envelope import Kind
from schemas.ids import EVENTS, desk_key, uuid5
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.desk import Desk
from workers.routing.desk.timers import OF_CONVERSATION, Timer, timers_of, timers_of_desk
from workers.runtime.batch import TimerDue
from workers.runtime.handler import Connection

TIMER_FIRED = Kind("commands", "timer_fired")

DUE = """
SELECT due.* FROM unnest($1::int[]) AS mine (lane)
CROSS JOIN LATERAL (
    SELECT * FROM desk_timer
    WHERE lane = mine.lane AND due_at <= $2 AND taken_due_at IS DISTINCT FROM due_at
    ORDER BY due_at
    LIMIT $3
) AS due
LIMIT $3
"""
TAKE = """
UPDATE desk_timer SET taken_due_at = due_at
WHERE workspace_id = $1 AND desk_id = $2 AND timer = $3 AND subject = $4
"""
DISARM = """
DELETE FROM desk_timer WHERE workspace_id = $1 AND desk_id = $2 AND timer = $3 AND subject = $4
"""
ARM = """
INSERT INTO desk_timer (workspace_id, desk_id, timer, subject, lane, due_at)
SELECT workspace_id, desk_id, timer, subject, lane, due_at FROM json_to_recordset($1::json) AS armed (
    workspace_id text, desk_id text, timer text, subject text, lane int, due_at timestamptz)
ON CONFLICT (workspace_id, desk_id, timer, subject) DO UPDATE SET
    lane = excluded.lane, due_at = excluded.due_at, taken_due_at = NULL
"""

Place = tuple[str, str, str, str]
"""Workspace, desk, name and subject of a timer."""


class Watch(NamedTuple):
    """A desk of the batch: its lane and the time of its last command."""

    desk: Desk
    lane: int
    at: datetime


class Arming:
    """What a batch armed and disarmed, from how things stood before and how they stand after it."""

    def __init__(self) -> None:
        self._watches: dict[tuple[str, str], Watch] = {}
        self._armed: dict[Place, datetime] = {}
        self._disarmed: set[Place] = set()
        self._fired: list[tuple[Desk, TimerFired]] = []

    def watch(self, desk: Desk, lane: int, at: datetime) -> None:
        """Note that something of `desk` is decided at `at`."""
        self._watches[desk.workspace, desk.id] = Watch(desk, lane, at)

    def note(self, desk: Desk, before: Conversation | None, now: Conversation) -> None:
        """Note that a conversation of `desk` changed. A timer that did not may be on its way: so it stays."""
        was, is_ = timers_of(before) if before else [], timers_of(now)
        self._swap(
            desk, [timer for timer in was if timer not in is_], [timer for timer in is_ if timer not in was]
        )

    def fired(self, desk: Desk, fired: TimerFired) -> None:
        """Note that a timer that was taken was decided on: if it still is to come it is armed anew."""
        if fired.timer in OF_CONVERSATION:
            self._fired.append((desk, fired))
        elif desk.armed.get((fired.timer, fired.subject)) == fired.due_at:
            del desk.armed[fired.timer, fired.subject]
            self._disarmed.add((desk.workspace, desk.id, fired.timer, fired.subject))

    async def write(self, connection: Connection) -> None:
        """Write it inside the open transaction of `connection`."""
        for desk, fired in self._fired:
            conversation = desk.conversations.get(fired.subject)
            still = (
                [one for one in timers_of(conversation) if one.name == fired.timer] if conversation else []
            )
            self._swap(desk, [Timer(fired.timer, fired.subject, fired.due_at)], still)
        for desk, _, at in self._watches.values():
            self._compare(desk, timers_of_desk(desk, at))
        if disarmed := self._disarmed - self._armed.keys():
            await connection.executemany(DISARM, disarmed)
        if self._armed:
            await connection.execute(ARM, orjson.dumps([self._row(place) for place in self._armed]).decode())

    def _compare(self, desk: Desk, timers: Collection[Timer]) -> None:
        known = [Timer(name, subject, due_at) for (name, subject), due_at in desk.armed.items()]
        self._swap(
            desk,
            [timer for timer in known if timer not in timers],
            [timer for timer in timers if timer not in known],
        )
        desk.armed = {(timer.name, timer.subject): timer.due_at for timer in timers}

    def _swap(self, desk: Desk, before: Iterable[Timer], now: Iterable[Timer]) -> None:
        gone = {(desk.workspace, desk.id, timer.name, timer.subject) for timer in before}
        self._disarmed |= gone
        for place in gone:
            self._armed.pop(place, None)
        for timer in now:
            self._armed[desk.workspace, desk.id, timer.name, timer.subject] = timer.due_at

    def _row(self, place: Place) -> dict[str, Any]:
        workspace, desk, name, subject = place
        return {
            "workspace_id": workspace,
            "desk_id": desk,
            "timer": name,
            "subject": subject,
            "lane": self._watches[workspace, desk].lane,
            "due_at": self._armed[place],
        }


async def take_due(connection: Connection, lanes: Sequence[int], now: datetime, limit: int) -> list[TimerDue]:
    """The timers of `lanes` that are due at `now`, at most `limit`, marked since they are on their way."""
    rows = await connection.fetch(DUE, lanes, now, limit)
    places = [(row["workspace_id"], row["desk_id"], row["timer"], row["subject"]) for row in rows]
    await connection.executemany(TAKE, places)
    return [_due(row) for row in rows]


def _due(row: Mapping[str, Any]) -> TimerDue:
    fired = TimerFired(
        workspace=row["workspace_id"],
        desk=row["desk_id"],
        timer=row["timer"],
        subject=row["subject"],
        due_at=row["due_at"],
    )
    key = desk_key(fired.workspace, fired.desk)
    named = f"timer/{key}/{fired.timer}/{fired.subject}/{fired.due_at.timestamp()}"
    return TimerDue(
        lane=row["lane"],
        topic=TIMER_FIRED.topic,
        id=uuid5(EVENTS, named),
        key=key.encode(),
        kind=TIMER_FIRED,
        value=fired.model_dump_json().encode(),
    )
