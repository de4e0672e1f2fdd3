"""A page as its platform knows it: its token, its customers, what was said to them, and what goes wrong."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from workers.local.simulator.platform.past import Past

RATE_WINDOW_S = 1.0
Loss = Literal["lose", "hang", "hold"]
"""It is taken, and then: `lose`, a proxy answers in its place; `hang`, no answer comes in time; `hold`, no
answer comes before `release` is set."""


class Said(NamedTuple):
    """What was said to a customer."""

    id: str
    user: str
    text: str | None
    attachment: str | None
    """Its type."""
    marker: str | None
    at_ms: int
    tag: str | None = None
    reply_to: str | None = None
    asks: tuple[str, ...] = ()
    """What it asks the customer to share."""
    url: str | None = None
    """Where the attachment is to be fetched."""


@dataclass
class Account:
    """One page or official account.

    Args:
        id: on its platform.
        token: which alone may speak for it.
        rate_per_s: calls that it may make in a second.
    """

    id: str
    token: str
    rate_per_s: int = 300
    said: list[Said] = field(default_factory=list)
    calls: int = 0
    heard_at_s: dict[str, float] = field(default_factory=dict)
    """When each customer last wrote, seconds since 1970; who is missing has never written."""
    ad_at_s: dict[str, float] = field(default_factory=dict)
    """When those who came by an advertisement did."""
    faults: deque[dict[str, Any] | Loss] = field(default_factory=deque)
    """What happens to the next calls: an error of the platform's, or a loss."""
    past: Past = field(default_factory=Past)
    """Who its customers are, and what was said before."""
    release: asyncio.Event = field(default_factory=asyncio.Event)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a call is held."""
    _calls_s: deque[float] = field(default_factory=deque)

    def heard(self, user: str, ago_s: float = 0.0) -> None:
        """A customer has written, so long ago."""
        self.heard_at_s[user] = time.time() - ago_s

    def silent_s(self, user: str) -> float | None:
        """Seconds since the customer last wrote."""
        at_s = self.heard_at_s.get(user)
        return None if at_s is None else time.time() - at_s

    def is_too_fast(self) -> bool:
        """Count a call; whether it is one too many."""
        now_s = time.monotonic()
        self.calls += 1
        while self._calls_s and now_s - self._calls_s[0] > RATE_WINDOW_S:
            self._calls_s.popleft()
        self._calls_s.append(now_s)
        return len(self._calls_s) > self.rate_per_s

    def texts(self, user: str) -> list[str | None]:
        """What was said to one customer, in order."""
        return [each.text for each in self.said if each.user == user]
