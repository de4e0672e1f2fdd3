"""All workers of one machine: started again when they die, stopped together, never left alone."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from config.settings import Settings
from tests.demo.tongdai import Tongdai, command_lines, runs, tongdai
from workers.local.ports import free_port

pytestmark = [pytest.mark.servers, pytest.mark.timeout(240)]

DEADLINE_S = 90.0
WORKERS = ("delivery", "gateway", "ingress", "notifier", "routing", "webhooks")


@asynccontextmanager
async def _up(settings: Settings, folder: Path) -> AsyncIterator[Tongdai]:
    """`tongdai up` on the servers of this run, ready."""
    environment = {
        "TONGDAI_KAFKA_BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "TONGDAI_KAFKA_TOPIC_PREFIX": settings.kafka.topic_prefix,
        "TONGDAI_KAFKA_CONVERSATION_PARTITIONS": str(settings.kafka.conversation_partitions),
        "TONGDAI_KAFKA_DESK_PARTITIONS": str(settings.kafka.desk_partitions),
        "TONGDAI_POSTGRES_DSN": settings.postgres.dsn.get_secret_value(),
        "TONGDAI_INGRESS_PORT": str(free_port()),
        "TONGDAI_GATEWAY_PORT": str(free_port()),
        "TONGDAI_GATEWAY_SIGNING_KEY": "a key that is kept nowhere, of the tests",
        "TONGDAI_DELIVERY_KEYS": "a key that is kept nowhere either: of the tests",
        "TONGDAI_ATTACHMENTS_KEYS": "nor is the key of the links to files: of the tests",
        "TONGDAI_ATTACHMENTS_FOLDER": str(folder / "files"),
    }
    async with tongdai("up", folder=folder, environment=environment) as command:
        await command.until("tongdai  * ready")
        yield command


async def test_who_is_killed_is_started_again_and_ctrl_c_stops_all(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    assert topics
    async with _up(settings, tmp_path) as up:
        workers = _workers(up)
        assert sorted(workers) == sorted(WORKERS)
        assert len({os.getpgid(pid) for pid in workers.values()}) == 1
        assert os.getpgid(up.process.pid) not in {os.getpgid(pid) for pid in workers.values()}

        os.kill(workers["routing"], signal.SIGKILL)
        await up.until("routing was ended by SIGKILL; it starts again in 0.5 s")
        await up.until("routing  | ")
        again = _workers(up)
        assert again["routing"] != workers["routing"]
        assert again["notifier"] == workers["notifier"], "\n".join(up.lines)
        assert len({os.getpgid(pid) for pid in again.values()}) == 1

        up.interrupt()
        assert await up.ended() == 0, "\n".join(up.lines)
        assert not [name for name, pid in again.items() if runs(pid)]
    assert not (tmp_path / ".tongdai").exists()  # named servers: nothing is kept here


async def test_no_worker_outlives_who_started_it(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    assert topics
    async with _up(settings, tmp_path) as up:
        workers = _workers(up)
        up.process.kill()
        await up.process.wait()
        await _until(lambda: not any(runs(pid) for pid in workers.values()))


async def test_a_worker_that_cannot_run_ends_everything(settings: Settings, tmp_path: Path) -> None:
    environment = {
        "TONGDAI_KAFKA_BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "TONGDAI_KAFKA_TOPIC_PREFIX": settings.kafka.topic_prefix,
        "TONGDAI_POSTGRES_DSN": settings.postgres.dsn.get_secret_value(),
        "TONGDAI_INGRESS_HOST": "192.0.2.1",  # RFC 5737: nobody's address
    }
    async with tongdai("up", folder=tmp_path, environment=environment) as up:
        assert await up.ended() == 3, "\n".join(up.lines)
    assert "The worker ingress ended with exit code 3 (configuration)" in up.lines[-1]


def _workers(up: Tongdai) -> dict[str, int]:
    """Process ids by the worker's name."""
    return {line.split()[-1]: pid for pid, line in command_lines(up.process.pid).items() if "worker" in line}


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not holds():
            await asyncio.sleep(0.05)
