"""What is done to sessions of Postgres while messages flow: ended, killed, made to wait."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncpg

from faults.scene import CATCH_S, Scene

HELD_S = 30.0
"""Three times as long as a worker waits for a lock."""
LOOK_S = 0.2
ROUNDS, PAUSE_S = 3, 3.0
HOT = ("desk_rule", "conversation", "inbox_counter")
"""Tables whose rows the three kinds of lane write again and again."""
_INSIDE = """
SELECT pid FROM pg_stat_activity
 WHERE backend_xid IS NOT NULL AND application_name LIKE 'tongdai %' LIMIT 1
"""
TERMINATE = """
SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE application_name LIKE 'tongdai %'
"""
_BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"


@dataclass(frozen=True)
class Sessions:
    """What befalls workers' sessions."""

    scene: Scene

    def faults(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Each by its name."""
        return {
            "terminate_sessions": self.terminate_sessions,
            "kill_backend": self.kill_backend,
            "lock_rows": self.lock_rows,
        }

    async def terminate_sessions(self) -> None:
        """`pg_terminate_backend` of every session of every worker, one of them having written."""
        for _ in range(ROUNDS):
            connection = await self._connect()
            try:
                inside = await _inside(connection)
                ended = await connection.fetchval(TERMINATE)
            finally:
                await connection.close()
            self.scene.note("terminate_sessions", hit=inside is not None and ended > 0, sessions=ended)
            await asyncio.sleep(PAUSE_S)

    async def kill_backend(self) -> None:
        """`kill -9` of a session's process that has written: Postgres ends all of them and recovers."""
        connection = await self._connect()
        try:
            inside = await _inside(connection)
        finally:
            connection.terminate()
        if inside is not None:
            os.kill(inside, signal.SIGKILL)
        self.scene.note("kill_backend", hit=inside is not None, pid=inside)

    async def lock_rows(self) -> None:
        """Somebody keeps the hottest rows locked for longer than anybody waits."""
        connection, watching = await self._connect(), await self._connect()
        try:
            async with connection.transaction():
                for table in HOT:
                    await connection.execute(f"SELECT FROM {table} FOR UPDATE")
                blocked = await self._blocked(watching, connection.get_server_pid())
        finally:
            await connection.close()
            await watching.close()
        self.scene.note("lock_rows", hit=blocked > 0, blocked=blocked)

    async def _blocked(self, watching: asyncpg.Connection, pid: int) -> int:
        """How many sessions waited at the same time, at most, while the locks were held."""
        blocked, deadline = 0, time.monotonic() + HELD_S
        while time.monotonic() < deadline:
            blocked = max(blocked, await watching.fetchval(_BLOCKED, pid))
            await asyncio.sleep(LOOK_S)
        return blocked

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(self.scene.ground.dsn)


async def _inside(connection: asyncpg.Connection) -> int | None:
    """The process of a worker's session that has written in an open transaction; none was seen in time."""
    deadline = time.monotonic() + CATCH_S
    while time.monotonic() < deadline:
        if (pid := await connection.fetchval(_INSIDE)) is not None:
            return int(pid)
    return None
