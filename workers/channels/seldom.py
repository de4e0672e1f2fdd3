"""Lines that whoever sends nonsense could fill the log with: a few of each kind are written."""

from __future__ import annotations

import logging
import time

from workers.channels.rate_limit import RateLimit

LOGGED_PER_S, LOGGED_BURST = 0.2, 5
"""Of each kind; whoever has to know how many there were looks at the metrics."""


class Seldom(logging.Filter):
    """Lets errors through, and of the others a few of each kind."""

    def __init__(self) -> None:
        super().__init__()
        self._limit = RateLimit(LOGGED_PER_S, LOGGED_BURST, bucket=str)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this line is written; its kind is its text before anything is put into it."""
        return record.levelno >= logging.ERROR or not self._limit.take(str(record.msg), time.monotonic())


def seldom_logger(name: str) -> logging.Logger:
    """A logger under `name` that writes little of each kind; the same whenever it is asked for."""
    logger = logging.getLogger(f"{name}.seldom")
    if not logger.filters:
        logger.addFilter(Seldom())
    return logger
