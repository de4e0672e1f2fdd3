"""What a library says again and again: one line of each, and how many more there were."""

from __future__ import annotations

import logging
import time

AGAIN_S = 5.0
KINDS_MAX = 1_000
"""Texts that are remembered; beyond it all are forgotten, and each may be said once more."""


class Repetition(logging.Filter):
    """Lets each text of one library's loggers through once in `AGAIN_S`; what others say always.

    While a broker is away aiokafka writes several lines for each attempt to reach it, fifty times a second.
    """

    def __init__(self, library: str) -> None:
        super().__init__(library)
        self._said: dict[str, tuple[float, int]] = {}
        """When it was written last, and how often it was not since."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this line is written; it tells how many were not."""
        if not super().filter(record):
            return True
        text, now_s = record.getMessage(), time.monotonic()
        written_s, held = self._said.get(text, (float("-inf"), 0))
        if now_s < written_s + AGAIN_S:
            self._said[text] = (written_s, held + 1)
            return False
        if len(self._said) >= KINDS_MAX:
            self._said.clear()
        self._said[text] = (now_s, 0)
        if held:
            record.msg, record.args = f"{text} ({held} more times before)", ()
        return True

    def __len__(self) -> int:
        """Texts that are remembered."""
        return len(self._said)
