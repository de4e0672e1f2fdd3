"""How long what other workers write is believed: a second."""

from __future__ import annotations

import time
from collections.abc import Callable

MAX_AGE_S = 1.0


class Freshness:
    """Says when everything that is remembered must be looked up again.

    Args:
        clock_s: a clock that never goes back.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._since_s = clock_s()

    def is_over(self) -> bool:
        """Whether a second has passed since this last was true, or since the beginning."""
        now_s = self._clock_s()
        if now_s - self._since_s < MAX_AGE_S:
            return False
        self._since_s = now_s
        return True
