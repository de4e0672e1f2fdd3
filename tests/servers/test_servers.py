"""Both servers together: started side by side, stopped together, deleted together."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from workers.local.errors import LocalServerError
from workers.local.kafka_java import quick_start_options
from workers.local.servers import local_servers, remove_data

pytestmark = pytest.mark.servers


WAIT_S = 90.0


def _is_empty(folder: Path) -> bool:
    return not any(folder.iterdir())


async def test_both_run_until_the_block_ends_and_can_start_over(server_dir: Path) -> None:
    async with local_servers(server_dir) as servers:
        connection = await asyncpg.connect(servers.dsn)
        await connection.close()
        with pytest.raises(LocalServerError, match="in use"):
            await remove_data(server_dir)
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncpg.connect(servers.dsn)
    await remove_data(server_dir)
    assert _is_empty(server_dir)


async def test_one_that_ends_by_itself_is_told(server_dir: Path) -> None:
    async with local_servers(server_dir, java_options=quick_start_options()) as servers:
        os.kill(servers.postgres.pid, signal.SIGKILL)
        async with asyncio.timeout(WAIT_S):
            with pytest.raises(LocalServerError, match="PostgreSQL ended by itself with code -9"):
                await servers.failure()


async def test_when_one_fails_the_other_is_stopped_too(server_dir: Path) -> None:
    (server_dir / "postgres" / "pgdata").mkdir(parents=True)
    with pytest.raises(LocalServerError, match="password is missing"):
        async with local_servers(server_dir, java_options=quick_start_options()):
            pytest.fail("this must not start")
    (server_dir / "postgres" / "pgdata").rmdir()
    await remove_data(server_dir)
