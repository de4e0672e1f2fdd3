"""A database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from workers.runtime.handler import Connection


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    """A connection to this test's database."""
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()
