"""How far one endpoint was told of one partition, and what waits to be told next."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from workers.outside.retry_after import RETRY_AFTER_MAX_S
from workers.webhooks.event import Event, Place

BYTES_MAX = 262_144
"""Of events that wait in memory for one endpoint and partition; one is let in however large."""


@dataclass(slots=True)
class Failing:
    """Failures in a row, since when, and when to try again. All moments are Postgres's."""

    failures: int = 0
    since: datetime | None = None
    retry_at: datetime | None = None
    wait_max_s: float = RETRY_AFTER_MAX_S
    """No longer than that, wherever a clock jumps: of what was stored, as long as anybody waits."""

    def fail(self, now: datetime) -> float:
        """One more failure; returns for how many seconds it has been failing."""
        self.failures += 1
        self.since = self.since or now
        return (now - self.since).total_seconds()

    def retry(self, now: datetime, wait_s: float) -> None:
        """Try it again after so many seconds."""
        self.retry_at, self.wait_max_s = now + timedelta(seconds=wait_s), wait_s

    def wait_s(self, now: datetime) -> float:
        """Seconds until it may be tried again."""
        if self.retry_at is None:
            return 0.0
        return min(max(0.0, (self.retry_at - now).total_seconds()), self.wait_max_s)

    def end(self) -> None:
        """It went well."""
        self.failures, self.since, self.retry_at = 0, None, None


@dataclass(slots=True)
class Track:
    """One partition, to one endpoint. Every record before `position` was delivered or is not wanted."""

    place: Place
    read_to: int
    """The offset up to which the log was read."""
    waiting: deque[Event] = field(default_factory=deque)
    size: int = 0
    """Bytes of what waits."""
    failing: Failing = field(default_factory=Failing)
    is_draining: bool = False

    @property
    def position(self) -> int:
        """From here on it is to be told."""
        return self.waiting[0].offset if self.waiting else self.read_to

    def take(self, first: int, next_: int, events: Iterable[Event], room: int) -> int:
        """Take the wanted `events` of the records from `first` to before `next_`, as far as there is room.

        A stretch that does not join what was read is left: it will be read later, from `read_to` on. Returns
        the bytes taken, at most `room` but for the only event that waits here.
        """
        if first > self.read_to:
            return 0
        taken = 0
        for event in events:
            if event.offset < self.read_to:
                continue
            if self.waiting and (self.size + event.size > BYTES_MAX or taken + event.size > room):
                self.read_to = event.offset
                return taken
            self.waiting.append(event)
            self.size += event.size
            taken += event.size
            self.read_to = event.offset + 1
        self.read_to = max(self.read_to, next_)
        return taken

    def told(self) -> Event:
        """The first that waits was delivered."""
        event = self.waiting.popleft()
        self.size -= event.size
        self.failing.end()
        return event
