"""A worker waits for its servers, however they fail at first, and can be told to stop meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from unittest.mock import AsyncMock, Mock

import asyncpg
import pytest

from config.settings import Settings
from workers.runtime.dependencies import dependencies
from workers.runtime.handler import Handler
from workers.runtime.topology import Topology
from workers.runtime.worker import run_worker
from workers.webhooks import process as webhooks
from workers.webhooks.signing import signing_keys

SOON_S = 90.0


@pytest.fixture
async def silent() -> AsyncIterator[Settings]:
    """Servers that take connections and answer nothing; with the first one we are told to stop."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield Settings().with_servers(bootstrap_servers=address, dsn=f"postgresql://u@{address}/d")


def no_handlers(_: Topology, __: Settings) -> Sequence[Handler]:
    raise AssertionError("it was told to stop before it began")


async def lanes(settings: Settings) -> None:
    """A worker with lanes."""
    await run_worker("routing", no_handlers, settings)


async def endpoints(settings: Settings) -> None:
    """The worker of webhooks."""
    await webhooks._run(settings, signing_keys(settings))


@pytest.mark.parametrize("work", [lanes, endpoints])
async def test_a_worker_that_waits_for_its_servers_stops_when_it_is_told_to(
    silent: Settings, work: Callable[[Settings], Awaitable[None]]
) -> None:
    async with asyncio.timeout(SOON_S):
        await work(silent)


async def test_a_session_that_is_ended_under_a_question_at_start_is_opened_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asyncpg, "connect", AsyncMock(return_value=Mock()))
    asked = AsyncMock(side_effect=[asyncpg.InternalClientError("ended under it"), ()])
    monkeypatch.setattr("workers.runtime.dependencies.lacking_migrations", asked)
    topology = Topology("", {})
    monkeypatch.setattr("workers.runtime.dependencies.read_topology", AsyncMock(return_value=topology))
    assert await dependencies(Settings(), asyncio.Event()) is topology
    assert asked.await_count == 2


async def test_a_role_that_may_not_even_ask_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncpg, "connect", AsyncMock(return_value=Mock()))
    asked = AsyncMock(side_effect=asyncpg.InsufficientPrivilegeError("permission denied for alembic_version"))
    monkeypatch.setattr("workers.runtime.dependencies.lacking_migrations", asked)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await dependencies(Settings(), asyncio.Event())
    assert asked.await_count == 1
