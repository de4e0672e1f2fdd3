"""The commands topic: which routes were asked, who asked for what, and the desks' clocks."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from checker.facts.asks import Ask, ask_of
from checker.facts.chains import Desk
from checker.facts.letters import Letters
from checker.facts.roster import RosterEvent
from checker.record import Json, LogRecord, Place

CHANGES = {
    "presence": {"set_presence", "timer_fired"},
    "agent": {"configure", "amend", "set_capacity", "set_leave"},
    "policy": {"configure", "amend", "set_ticket_fields"},
}
"""Which commands change what of a roster; everything else is changed by those that follow."""
_USUAL = {"configure", "amend"}
_CHANGING = _USUAL.union(*CHANGES.values())


class Route(NamedTuple):
    """A `route` command: somebody should answer."""

    place: Place
    conversation: str
    key: str
    session: int
    opens_session: bool


class Commands:
    """What the checks need of the log that desks decide by.

    A desk's clock is the log's time, never going back within a partition: its `at` leads to
    an event's command, where the event does not name it.
    """

    def __init__(self, records: Iterable[LogRecord], letters: Letters) -> None:
        self.routes: list[Route] = []
        self.asks: list[Ask] = []
        self.vacated: dict[Place, tuple[str, str]] = {}
        """Of leaves that go on: by whom and by which command they were."""
        self._offsets: defaultdict[int, array[int]] = defaultdict(lambda: array("Q"))
        self.configured: dict[tuple[Desk, int], Place] = {}
        self._changing: dict[Place, tuple[Desk, int, str]] = {}
        self._letters = letters
        self._clocks: dict[int, int] = {}
        for record in records:
            self._add(record)

    def cause_of(self, event: RosterEvent) -> Place | None:
        """The place of the command that the event comes from; none: there is no such command."""
        if event.cause is None:
            return self.configured.get((event.desk, event.at_ms))
        desk, at_ms, what = self._changing.get(event.cause, (None, None, ""))
        fits = (desk, at_ms) == (event.desk, event.at_ms) and what in CHANGES.get(event.kind, _USUAL)
        return event.cause if fits else None

    def has(self, place: Place) -> bool:
        """Whether there is a command at this place."""
        offsets = self._offsets[place[0]]
        at = bisect_left(offsets, place[1])
        return at < len(offsets) and offsets[at] == place[1]

    def _add(self, record: LogRecord) -> None:
        self._offsets[record.partition].append(record.offset)
        clock = max(self._clocks.get(record.partition, 0), record.timestamp_ms)
        self._clocks[record.partition] = clock
        ask = ask_of("commands", record, clock)
        if ask is not None and not self._letters.of("commands", record.place):
            self.asks.append(ask)
        what = record.what("commands") or ""
        if what in {"route", "vacate"} or what in _CHANGING:
            try:
                self._note(record, what, record.json(), clock)
            except (KeyError, ValueError):
                return  # not readable: what becomes of it is checked by deadletter

    def _note(self, record: LogRecord, what: str, value: Json, clock: int) -> None:
        desk = (value["workspace"], value["desk"])
        if what == "route":
            names = (name for name in Route._fields if name != "place")
            self.routes.append(Route(place=record.place, **{name: value[name] for name in names}))
            return
        if what == "vacate":
            self.vacated[record.place] = value["by"], value["command"]
            return
        self._changing[record.place] = (desk, clock, what)
        if what == "configure":
            self.configured.setdefault((desk, clock), record.place)
