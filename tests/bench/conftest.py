"""A course on the test run's servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from bench.arena import Course
from config.settings import Settings


@pytest.fixture
async def course(settings: Settings, topics: dict[str, str], server_dir: Path) -> AsyncIterator[Course]:
    """Fresh topics, an empty database, a folder for logs."""
    del topics
    connection = await asyncpg.connect(settings.postgres.dsn.get_secret_value())
    yield Course(settings, connection, server_dir)
    await connection.close()
