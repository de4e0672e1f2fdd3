"""What a platform knows of a page's customers, and what was said before anybody here listened."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

RATE_WINDOW_S = 1.0


class Person(NamedTuple):
    """A customer on his channel."""

    name: str
    picture: str | None = None
    phone: str | None = None
    """That he has shared with the page."""


class PastMessage(NamedTuple):
    """What somebody has said; `is_ours`: for the page."""

    id: str
    user: str
    at_ms: int
    text: str | None
    is_ours: bool = False
    picture: str | None = None


@dataclass
class Past:
    """Of one page.

    Args:
        rate_per_s: calls that may read it in a second.
    """

    rate_per_s: int = 2
    people: dict[str, Person] = field(default_factory=dict)
    messages: list[PastMessage] = field(default_factory=list)
    lists_last: bool = False
    """Whether a list of what was said of late holds only the last message with each customer."""
    faults: deque[dict[str, Any]] = field(default_factory=deque)
    """Errors of the platform's that the next calls get."""
    calls: list[str] = field(default_factory=list)
    """What was asked for, in order."""
    _calls_s: deque[float] = field(default_factory=deque)

    def is_too_fast(self, what: str) -> bool:
        """Count a call; whether it is one too many: one may have been held up behind the one before."""
        now_s = time.monotonic()
        self.calls.append(what)
        while self._calls_s and now_s - self._calls_s[0] > RATE_WINDOW_S:
            self._calls_s.popleft()
        self._calls_s.append(now_s)
        return len(self._calls_s) > self.rate_per_s + 1

    def recent(self) -> list[PastMessage]:
        """What was said of late, the newest first."""
        first_met: dict[str | int, PastMessage] = {}
        for number, each in enumerate(self.said()):
            first_met.setdefault(each.user if self.lists_last else number, each)
        return list(first_met.values())

    def said(self, user: str | None = None) -> list[PastMessage]:
        """All messages, or those with one customer, the newest first."""
        found = [each for each in self.messages if user in (None, each.user)]
        return sorted(found, key=lambda each: each.at_ms, reverse=True)
