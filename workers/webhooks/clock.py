"""Postgres's clock, which all workers share: moments that one of them stores are read by another."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """What Postgres has said last, and how long ago that is; before it has, what this machine says."""

    def __init__(self) -> None:
        self.set(datetime.now(UTC))

    def set(self, now: datetime) -> None:
        """Postgres says that it is `now`."""
        self._said, self._at_s = now, time.monotonic()

    def now(self) -> datetime:
        """What it would say."""
        return self._said + timedelta(seconds=time.monotonic() - self._at_s)
