"""The commands topic: which routes were asked, where rosters were configured, and the desks' clocks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from checker.facts.chains import Desk
from checker.facts.roster import RosterEvent
from checker.record import LogRecord, Place


class Route(NamedTuple):
    """A `route` command: somebody should answer."""

    place: Place
    conversation: str
    session: int
    opens_session: bool


class Commands:
    """What the checks need of the log that desks decide by.

    A desk's clock is the log's time, never going back within a partition: its `at` leads to
    an event's command, where the event does not name it.
    """

    def __init__(self, records: Iterable[LogRecord]) -> None:
        self.routes: list[Route] = []
        self.configured: dict[tuple[Desk, int], int] = {}
        self.configures: dict[Place, tuple[Desk, int]] = {}
        self.partitions: dict[Desk, int] = {}
        self._clocks: dict[int, int] = {}
        for record in records:
            self._add(record)

    def cause_of(self, event: RosterEvent) -> int | None:
        """The offset of the command that the event comes from; none: there is no such command."""
        if event.cause is None:
            return self.configured.get((event.desk, event.at_ms))
        return event.cause[1] if self.configures.get(event.cause) == (event.desk, event.at_ms) else None

    def _add(self, record: LogRecord) -> None:
        clock = max(self._clocks.get(record.partition, 0), record.timestamp_ms)
        self._clocks[record.partition] = clock
        what = record.what("commands")
        if what not in {"route", "configure"}:
            return
        try:
            value = record.json()
            desk = (value["workspace"], value["desk"])
            if what == "configure":
                self.configured.setdefault((desk, clock), record.offset)
                self.configures[record.place] = (desk, clock)
            else:
                self.routes.append(
                    Route(record.place, value["conversation"], value["session"], value["opens_session"])
                )
        except (KeyError, ValueError):
            return  # not readable: what becomes of it is checked by deadletter
        self.partitions.setdefault(desk, record.partition)
