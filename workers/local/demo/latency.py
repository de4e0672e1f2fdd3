"""How long things took: counted per millisecond, so that memory does not grow with the run."""

from __future__ import annotations

from collections import Counter

LONGEST_MS = 600_000
"""Whatever took longer is counted as this."""


class Latencies:
    """A histogram of whole milliseconds, the resolution of Kafka's time."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.count = 0

    def add(self, latency_ms: float) -> None:
        """Count one; clocks of two machines may make it negative, which counts as 0."""
        self._counts[min(max(round(latency_ms), 0), LONGEST_MS)] += 1
        self.count += 1

    def percentile(self, percent: float) -> int | None:
        """The smallest latency that at least `percent` of all do not exceed (nearest rank), in ms.

        None when there are none.
        """
        rank = max(1, -(-self.count * percent // 100))
        for latency_ms in sorted(self._counts):
            rank -= self._counts[latency_ms]
            if rank <= 0:
                return latency_ms
        return None

    def summary(self) -> dict[str, int | None]:
        """The percentiles that reports name."""
        return {f"p{percent}": self.percentile(percent) for percent in (50, 95, 99)}
