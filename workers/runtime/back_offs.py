"""Lanes that are left alone for a while: somebody else was faster, or what Kafka tells of them is old."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from workers.runtime import protocol


@dataclass(slots=True)
class BackOffs:
    """How often in a row each lane could not be taken over, and until when it is left alone."""

    clock_s: Callable[[], float] = monotonic
    _lost: dict[int, int] = field(default_factory=dict)
    _until: dict[int, float] = field(default_factory=dict)

    def lose(self, lane: int) -> float:
        """It could not be taken once more; how long the lane is left alone, in seconds."""
        self._lost[lane] = self._lost.get(lane, 0) + 1
        wait_s = protocol.back_off_s(lost=self._lost[lane], spread=random.random())  # noqa: S311
        self._until[lane] = self.clock_s() + wait_s
        return wait_s

    def over(self, lane: int) -> bool:
        """Whether the lane may be tried (again)."""
        return self.clock_s() >= self._until.get(lane, 0.0)

    def forget(self, lane: int | None = None) -> None:
        """The lane went on; none: the group was rebalanced, and nothing that was lost counts."""
        lanes = list(self._lost) if lane is None else [lane]
        for each in lanes:
            self._lost.pop(each, None)
            self._until.pop(each, None)
