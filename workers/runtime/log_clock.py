"""What time it is by Kafka's clock, by which everything is decided, between two records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic, time

from aiokafka.structs import RecordMetadata


@dataclass(slots=True)
class LogClock:
    """Goes on from what Kafka said last. A worker's own clock may be wrong, and may be set.

    Until Kafka has said something it is this machine's.
    """

    _ahead_ms: float | None = None
    """Of the monotonic clock, which nobody sets."""

    def hear(self, confirmed: Iterable[object]) -> None:
        """Take the time from what Kafka has just confirmed: at most as late as the confirmation took."""
        told = [one.timestamp for one in confirmed if isinstance(one, RecordMetadata) and one.timestamp_type]
        if told:
            self._ahead_ms = max(told) - monotonic() * 1000

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return int(time() * 1000 if self._ahead_ms is None else monotonic() * 1000 + self._ahead_ms)
