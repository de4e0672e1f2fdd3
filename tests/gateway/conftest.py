"""What several of the gateway's tests begin with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from config.settings import Settings
from tests.gateway.ground import add_people


@pytest.fixture
async def rows(settings: Settings) -> AsyncIterator[asyncpg.Connection[Any]]:
    """The database of a shop where everybody has an account."""
    connection = await asyncpg.connect(settings.postgres.dsn.get_secret_value())
    await add_people(connection)
    yield connection
    await connection.close()
