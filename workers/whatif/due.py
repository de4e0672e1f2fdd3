"""What runs out on a desk that is replayed under other rules, in the order of the times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import heappop, heappush

from schemas.commands import TimerFired
from workers.routing.desk.apply import Decided
from workers.routing.desk.desk import Desk
from workers.routing.desk.timers import Timer, timers_of, timers_of_desk


class DueTimers:
    """All timers that the desk awaits. One that is disarmed meanwhile comes, and the desk ignores it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._heap: list[tuple[datetime, str, str]] = []
        self._awaited: set[Timer] = set()
        for conversation in desk.conversations.values():
            self._await(timers_of(conversation))

    def note(self, decided: Iterable[Decided], at: datetime) -> None:
        """Await what follows from these events."""
        for one in decided:
            if one.step is not None:
                self._await(timers_of(one.step.now))
        self._await(timers_of_desk(self._desk, at))

    def before(self, at: datetime) -> Iterator[TimerFired]:
        """Those that are due before `at`, the next one as things stand when it is asked for."""
        while self._heap and self._heap[0][0] < at:
            due_at, name, subject = heappop(self._heap)
            timer = Timer(name, subject, due_at)  # type: ignore[arg-type]  # as it was awaited
            self._awaited.discard(timer)
            place = {"workspace": self._desk.workspace, "desk": self._desk.id}
            yield TimerFired(**place, timer=timer.name, subject=subject, due_at=due_at)

    def _await(self, timers: Iterable[Timer]) -> None:
        for timer in timers:
            if timer not in self._awaited:
                self._awaited.add(timer)
                heappush(self._heap, (timer.due_at, timer.name, timer.subject))
