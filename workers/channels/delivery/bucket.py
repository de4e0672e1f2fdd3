"""A token bucket whose state can be kept anywhere. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Bucket(NamedTuple):
    """`rate_per_s` on average, a second's worth at once. `tokens` below zero are owed."""

    rate_per_s: float
    tokens: float

    @classmethod
    def counted(cls, rate_per_s: float, tokens: float | None, since_s: float) -> Bucket:
        """As it is now, when it held `tokens` (none: it was full) `since_s` seconds ago."""
        full = max(rate_per_s, 1.0)
        had = full if tokens is None else tokens
        return cls(rate_per_s, min(full, had + max(0.0, since_s) * rate_per_s))

    @property
    def whole(self) -> int:
        """How many may be taken now."""
        return max(0, int(self.tokens))

    def take(self, cost: float) -> Bucket:
        """With `cost` taken, which may be more than there is."""
        return self._replace(tokens=self.tokens - cost)

    def wait_s(self) -> float:
        """In how many seconds there is one."""
        return 0.0 if self.tokens >= 1 else (1 - self.tokens) / self.rate_per_s
