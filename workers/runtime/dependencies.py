"""What a worker cannot begin without: Kafka with its topics, Postgres with its tables."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import structlog

from config.error_text import told
from config.settings import Settings
from workers.migrations import lacking_migrations
from workers.runtime.failures import DependencyDownError, TopologyError
from workers.runtime.postgres import DATABASE_ERRORS, connected, is_unprepared
from workers.runtime.runtime import read_topology
from workers.runtime.topology import Topology

log = structlog.get_logger(__name__)

ABANDON_S = 2.0
"""For clients to let go: nothing has begun, and the process ends."""


async def dependencies(settings: Settings, stopping: asyncio.Event) -> Topology | None:
    """Wait for Kafka and Postgres, and check that both are prepared; nothing when `stopping` is set first.

    Raises DependencyDownError when they are not there in time, TopologyError.
    """
    asking = asyncio.create_task(_dependencies(settings), name="dependencies")
    stop = asyncio.create_task(stopping.wait(), name="stop")
    try:
        await asyncio.wait((asking, stop), return_when=asyncio.FIRST_COMPLETED)
        return asking.result() if asking.done() else None
    finally:
        asking.cancel()
        stop.cancel()
        await asyncio.wait((asking, stop), timeout=ABANDON_S)


async def _dependencies(settings: Settings) -> Topology:
    async with _deadline_for_dependencies(settings.runtime.dependency_start_timeout_s) as last_error:
        while True:
            try:
                missing = await lacking(settings, "tongdai start")
                topology = await read_topology(settings)
                break
            except DependencyDownError as error:
                last_error.append(error)
                log.warning("dependency_down", error=error)
                await asyncio.sleep(0.5)
    if missing:
        raise unmigrated(missing)
    return topology


def unmigrated(missing: Sequence[str]) -> TopologyError:
    """What is raised when migrations are `lacking`."""
    return TopologyError(
        f"the database lacks the migrations {', '.join(missing)}, or our role may not see them: run "
        "`tongdai migrate` and, where workers have roles, what `tongdai access postgres` prints"
    )


async def lacking(settings: Settings, name: str) -> Sequence[str]:
    """The migrations that the database lacks.

    Raises DependencyDownError, and Postgres's own error when our role may not even ask: no wait mends that.
    """
    async with connected(settings, name) as connection:
        try:
            return await lacking_migrations(connection)
        except DATABASE_ERRORS as error:
            if is_unprepared(error):
                raise
            raise DependencyDownError(f"Postgres went away: {told(error)}") from error


@contextlib.asynccontextmanager
async def _deadline_for_dependencies(seconds: float) -> AsyncIterator[list[DependencyDownError]]:
    last_error: list[DependencyDownError] = []
    try:
        async with asyncio.timeout(seconds):
            yield last_error
    except TimeoutError:
        raise (
            last_error[-1]
            if last_error
            else DependencyDownError(f"Kafka or Postgres did not answer within {seconds:g} s")
        ) from None
