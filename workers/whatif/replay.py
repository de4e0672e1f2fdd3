"""A desk that lives through a recorded log again. Pure: no I/O, no clock.

Without other rules it decides what was decided, event by event: a desk is a function of its log. Under other
rules things run out at other times, so what the recorded timers said is passed over, and the desk's own come
when they are due; a leave that is more than one decision goes on at once. People's acts and the ends of
sessions stay as they were recorded.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel

from config.errors import TongdaiError
from schemas.assignments import Cause
from schemas.commands import Amend, AskedCommand, Command, Configure, TimerFired, Vacate
from schemas.ids import event_ids
from schemas.outcomes import Refused
from workers.routing.desk.decide import carry_out
from workers.routing.desk.decision import Place
from workers.routing.desk.desk import Desk
from workers.routing.outcomes import KEPT
from workers.whatif.due import DueTimers
from workers.workspace.workspace import DeskRoster

FORGET_EVERY = 10_000
"""Commands."""


class OtherRulesRefusedError(TongdaiError):
    """The desk would not have taken these rules."""


class Recorded(NamedTuple):
    """A command as the log has it; `at` never goes back within a partition."""

    partition: int
    offset: int
    at: datetime
    command: Command


class Replay:
    """One desk, from the beginning of its log on.

    Args:
        workspace: whose desk it is.
        desk: its id.
        other: what the desk shall be from `since` on; none: what it was.
        since: when that begins; none: with the first command.
        elsewhere: pages and agents that the registry gives to other desks.
    """

    def __init__(
        self,
        workspace: str,
        desk: str,
        *,
        other: DeskRoster | None = None,
        since: datetime | None = None,
        elsewhere: dict[str, str] | None = None,
    ) -> None:
        self.desk = Desk(workspace, desk)
        self.desk.elsewhere = dict(elsewhere or {})
        self._other = other
        self._since = since
        self._due: DueTimers | None = None
        """None: the recorded timers are those that count."""
        self._decisions = 0

    def live(self, recorded: Recorded) -> list[BaseModel]:
        """The events that are decided on now. Raises OtherRulesRefusedError."""
        events: list[BaseModel] = []
        if self._begins_otherwise(recorded):
            events += self._become_other(recorded)
        if self._due is None:
            return events + self._decide(recorded, recorded.command, recorded.at)
        for fired in self._due.before(recorded.at):
            events += self._decide(recorded, fired, max(fired.due_at, self.desk.at))
        if not isinstance(recorded.command, (TimerFired, Configure, Amend)):
            events += self._decide(recorded, recorded.command, recorded.at)
        return events

    def _begins_otherwise(self, recorded: Recorded) -> bool:
        is_waiting = self._other is not None and self._due is None
        return is_waiting and (self._since is None or recorded.at >= self._since)

    def _become_other(self, recorded: Recorded) -> list[BaseModel]:
        """Let the desk be what it shall be, and know itself what runs out from here on."""
        assert self._other is not None  # noqa: S101  asked before
        self._due = DueTimers(self.desk)
        command = configuring(self.desk.workspace, self._other)
        events = self._decide(recorded, command, recorded.at)
        for event in events:
            if isinstance(event, Refused):
                raise OtherRulesRefusedError(f"the desk would have refused these rules: {event.sentence}")
        return events

    def _decide(self, recorded: Recorded, command: Command, at: datetime) -> list[BaseModel]:
        self._decisions += 1
        cause = Cause(partition=recorded.partition, offset=recorded.offset)
        id_of = event_ids("whatif", recorded.partition, self._decisions, "desk")
        decided = carry_out(self.desk, command, Place(at, cause, id_of))
        if self._due is not None:
            self._due.note(decided, at)
        events = [one.event for one in decided]
        for going_on in [event for event in events if isinstance(event, Vacate)] if self._due else ():
            events += self._decide(recorded, going_on, at)
        if isinstance(command, AskedCommand) and self._decisions % FORGET_EVERY < 2:
            self._forget(at - KEPT)
        return events

    def _forget(self, before: datetime) -> None:
        """Drop outcomes that nobody can ask for any more."""
        outcomes = self.desk.outcomes
        for key in [key for key, outcome in outcomes.items() if outcome.at < before - timedelta(hours=1)]:
            del outcomes[key]


def configuring(workspace: str, roster: DeskRoster) -> Configure:
    """The command that makes a desk what `roster` says."""
    return Configure(
        workspace=workspace,
        desk=roster.id,
        actor="cli:whatif",
        idempotency_key="whatif",
        agents=roster.agents,
        departments=roster.departments,
        pages=roster.pages,
        rules=roster.rules,
        policy=roster.policy,
    )
