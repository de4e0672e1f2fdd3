"""A database with one workspace's page, and intake on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, get_args

import asyncpg
import pytest
from prometheus_client import REGISTRY

from tests.intake.log import PAGE, PARTITIONS, WORKSPACE, Log
from workers.routing.intake import work
from workers.routing.intake.handler import IntakeHandler
from workers.runtime.batch import Batch
from workers.runtime.handler import Connection

SILENCE_S = 3_600.0


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    """A connection to this test's database, where the page is registered."""
    connection = await asyncpg.connect(database)
    await register(connection, PAGE, WORKSPACE)
    yield connection
    await connection.close()


async def register(connection: Connection, page: str, workspace: str) -> None:
    """Have `page` belong to `workspace`."""
    await connection.execute(
        "INSERT INTO page_registry (page_id, workspace_id, desk_id) VALUES ($1, $2, 'main')", page, workspace
    )


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def handler() -> IntakeHandler:
    return IntakeHandler(PARTITIONS, silence_s=SILENCE_S)


Became = Callable[[str], float]


@pytest.fixture
def became() -> Became:
    """How often a record became that, as the metric tells, since the test began."""

    def told(what: str) -> float:
        return REGISTRY.get_sample_value("tongdai_intake_records_total", {"became": what}) or 0.0

    before = {what: told(what) for what in get_args(work.Became)}
    return lambda what: told(what) - before[what]


Run = Callable[[Batch], Any]


@pytest.fixture
def run(connection: Connection, handler: IntakeHandler) -> Run:
    """Handles a batch in a transaction of its own, as the runtime does."""

    async def handle(batch: Batch) -> Batch:
        async with connection.transaction():
            await handler.handle(connection, batch)
        return batch

    return handle
