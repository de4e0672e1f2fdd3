"""What the runtime's tests share: a log whose tracebacks cost little."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True, scope="session")
def plain_tracebacks() -> Iterator[None]:
    """Tracebacks without every local variable: those took more time than the lanes."""
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    timestamps = structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=True)
    structlog.configure(processors=[structlog.processors.add_log_level, timestamps, renderer])
    yield
    structlog.reset_defaults()
