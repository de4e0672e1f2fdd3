"""`decide(desk, command, place)`: the events that answer a command. Pure: no I/O, no clock, no randomness."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.commands import AskedCommand, Command, Configure, Route, SessionEnded, TimerFired
from workers.routing.desk.apply import Decided
from workers.routing.desk.configure import configure
from workers.routing.desk.decision import Draft, Place
from workers.routing.desk.desk import Desk
from workers.routing.desk.expiries import timer_fired
from workers.routing.desk.outcomes import answered_before
from workers.routing.desk.sessions import route, session_ended

DECISIONS: dict[type[Command], Callable[[Draft, Any], None]] = {
    Route: route,
    SessionEnded: session_ended,
    TimerFired: timer_fired,
    Configure: configure,
}
"""Every command and who decides it: a new command is one line here."""


def decide(desk: Desk, command: Command, place: Place) -> list[Decided]:
    """The events that answer `command`, in order; `desk` is not changed."""
    draft = Draft(desk, place)
    if not (isinstance(command, AskedCommand) and answered_before(draft, command)):
        DECISIONS[type(command)](draft, command)
    return draft.decided
