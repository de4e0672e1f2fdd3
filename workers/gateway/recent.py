"""The latest notifications, kept in memory for those who come back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from workers.gateway.notices import Noted

BYTES_MAX = 32 * 1_048_576


class Recent:
    """A bounded stretch of the notifications, in the order in which they came."""

    def __init__(self, starts: Sequence[int], bytes_max: int = BYTES_MAX) -> None:
        self._starts = list(starts)
        """The first offset of each partition from which nothing is missing."""
        self._kept: deque[Noted] = deque()
        self._bytes = 0
        self._bytes_max = bytes_max

    def add(self, one: Noted) -> None:
        """Keep it, and let go of the oldest ones."""
        self._kept.append(one)
        self._bytes += one.size_bytes
        while self._bytes > self._bytes_max:
            oldest = self._kept.popleft()
            self._bytes -= oldest.size_bytes
            self._starts[oldest.partition] = oldest.offset + 1

    def has_all_since(self, offsets: Sequence[int]) -> bool:
        """Whether everything from these offsets on is here."""
        return all(offset >= start for offset, start in zip(offsets, self._starts, strict=True))

    def since(self, offsets: Sequence[int]) -> Iterator[Noted]:
        """What came from these offsets on."""
        return (one for one in list(self._kept) if one.offset >= offsets[one.partition])
