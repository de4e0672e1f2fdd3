"""The latest notifications, kept in memory for those who come back."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from config.topics import NOTIFICATIONS
from workers.gateway.notices import Noted

BYTES_MAX = 32 * 1_048_576


def _now_ms() -> int:
    return int(time.time() * 1000)


class Recent:
    """A bounded stretch of the notifications, in the order in which they came.

    Nothing that is older than the topic keeps it: what was said of an erased customer goes from here, too.
    """

    def __init__(
        self, starts: Sequence[int], bytes_max: int = BYTES_MAX, now_ms: Callable[[], int] = _now_ms
    ) -> None:
        self._starts = list(starts)
        """The first offset of each partition from which nothing is missing."""
        self._kept: deque[Noted] = deque()
        self._bytes = 0
        self._bytes_max = bytes_max
        self._now_ms = now_ms

    def add(self, one: Noted) -> None:
        """Keep it, and let go of the oldest ones."""
        self._kept.append(one)
        self._bytes += one.size_bytes
        while self._bytes > self._bytes_max:
            self._forget_oldest()
        self.forget()

    def forget(self) -> None:
        """Let go of what the topic keeps no longer."""
        if NOTIFICATIONS.retention_ms is None:
            return
        since_ms = self._now_ms() - NOTIFICATIONS.retention_ms
        while self._kept and self._kept[0].at_ms < since_ms:
            self._forget_oldest()

    def has_all_since(self, offsets: Sequence[int]) -> bool:
        """Whether everything from these offsets on is here."""
        self.forget()
        return all(offset >= start for offset, start in zip(offsets, self._starts, strict=True))

    def since(self, offsets: Sequence[int]) -> Iterator[Noted]:
        """What came from these offsets on."""
        return (one for one in list(self._kept) if one.offset >= offsets[one.partition])

    def _forget_oldest(self) -> None:
        oldest = self._kept.popleft()
        self._bytes -= oldest.size_bytes
        self._starts[oldest.partition] = oldest.offset + 1
