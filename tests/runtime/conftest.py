"""What the runtime's tests share: lanes with a copying handler, and a log whose tracebacks cost little."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import structlog

from config.settings import Settings
from tests.runtime.bench_of_lanes import Lanes, lanes_of
from tests.runtime.copier import CREATE


@pytest.fixture(autouse=True, scope="session")
def plain_tracebacks() -> Iterator[None]:
    """Tracebacks without every local variable: those took more time than the lanes."""
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    timestamps = structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=True)
    structlog.configure(processors=[structlog.processors.add_log_level, timestamps, renderer])
    yield
    structlog.reset_defaults()


@pytest.fixture
async def lanes(settings: Settings, topics: dict[str, str]) -> AsyncIterator[Lanes]:
    """This test's lanes, whose members are missed quickly."""
    quick = settings.runtime.model_copy(update={"session_timeout_ms": 6_000, "poll_timeout_ms": 50})
    async with lanes_of(settings.model_copy(update={"runtime": quick}), CREATE) as made:
        yield made
