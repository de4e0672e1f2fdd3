"""A worker ends in order when it is told to, and with an error when any part of it ends otherwise."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from config.settings import Settings
from tests.runtime.bench_of_lanes import Lanes, lanes_of
from tests.runtime.copier import CREATE
from tests.waiting import eventually
from workers.runtime.failures import FencedTooOftenError, SideTaskEndedError
from workers.runtime.supervision import supervise

ROOT = Path(__file__).parents[2]
DEADLINE_S = 90.0


async def until(stopping: asyncio.Event) -> None:
    """A runtime that stops when it is told to."""
    await stopping.wait()


async def for_ever() -> None:
    """A side task as it should be."""
    await asyncio.Event().wait()


async def ends() -> None:
    """A side task that has had enough."""


async def is_cancelled() -> None:
    """As aiokafka does to its own tasks now and then."""
    raise asyncio.CancelledError


async def fails() -> None:
    """A runtime that gives up."""
    raise FencedTooOftenError("fenced too often")


async def test_a_side_task_that_ends_ends_the_worker_with_an_error() -> None:
    stopping = asyncio.Event()
    with pytest.raises(SideTaskEndedError, match="health has ended"):
        await supervise({"runtime intake": until(stopping)}, {}, ends(), stopping, 5)


async def test_a_side_task_that_is_cancelled_by_nobody_ends_the_worker_with_an_error() -> None:
    stopping = asyncio.Event()
    with pytest.raises(SideTaskEndedError, match="health was cancelled by nobody"):
        await supervise({"runtime intake": until(stopping)}, {}, is_cancelled(), stopping, 5)


@pytest.mark.parametrize(("how", "told"), [(ends, "has ended"), (is_cancelled, "was cancelled by nobody")])
async def test_a_runtime_that_ends_untold_ends_the_worker_with_an_error(how: object, told: str) -> None:
    stopping = asyncio.Event()
    runtimes = {"runtime intake": how(), "runtime desk": until(stopping)}  # type: ignore[operator]
    with pytest.raises(SideTaskEndedError, match=f"runtime intake {told}"):
        await supervise(runtimes, {}, for_ever(), stopping, 5)


async def test_what_a_runtime_failed_with_is_what_the_worker_fails_with() -> None:
    stopping = asyncio.Event()
    runtimes = {"runtime intake": fails(), "runtime desk": until(stopping)}
    with pytest.raises(FencedTooOftenError):
        await supervise(runtimes, {}, for_ever(), stopping, 5)


async def test_why_a_worker_had_to_end_is_told_even_when_another_part_is_too_slow_to_stop() -> None:
    runtimes = {"runtime intake": fails(), "runtime desk": for_ever()}
    with pytest.raises(FencedTooOftenError):
        await supervise(runtimes, {}, for_ever(), asyncio.Event(), 0.1)


async def test_a_worker_that_is_told_to_stop_ends_without_an_error() -> None:
    stopping = asyncio.Event()
    stopping.set()
    await supervise({"runtime intake": until(stopping)}, {}, for_ever(), stopping, 5)


async def test_a_worker_that_is_too_slow_to_stop_ends_with_an_error_that_names_the_culprit() -> None:
    stopping = asyncio.Event()
    stopping.set()
    runtimes = {"runtime intake": for_ever(), "runtime desk": until(stopping)}
    with pytest.raises(TimeoutError, match=r"stopping runtime intake took longer than 0\.1 s"):
        await supervise(runtimes, {}, for_ever(), stopping, 0.1)


async def test_what_is_done_beside_the_lanes_ends_beside_them_while_health_answers() -> None:
    stopping, told, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
    answered = []

    async def side_task() -> None:
        try:
            await for_ever()
        finally:
            told.set()
            await asyncio.sleep(0)
            ended.set()

    async def lane() -> None:
        """It takes until the side task has ended."""
        await stopping.wait()
        await ended.wait()

    async def health() -> None:
        try:
            await for_ever()
        finally:
            answered.append(ended.is_set())

    stopping.set()
    await supervise({"runtime delivery": lane()}, {"dispatcher": side_task()}, health(), stopping, 5)
    assert (told.is_set(), answered) == (True, [True])


async def test_a_side_task_that_is_too_slow_to_stop_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.runtime.supervision.SIDE_SPARE_S", 0.05)
    stopping, released = asyncio.Event(), asyncio.Event()

    async def side_task() -> None:
        while not released.is_set():
            with suppress(asyncio.CancelledError):
                await released.wait()

    stopping.set()
    await supervise({"runtime delivery": until(stopping)}, {"mails": side_task()}, for_ever(), stopping, 0.05)
    (left,) = (task for task in asyncio.all_tasks() if task.get_name() == "mails")
    released.set()
    await left


@pytest.fixture
async def lanes(settings: Settings, topics: dict[str, str]) -> AsyncIterator[Lanes]:
    async with lanes_of(settings, CREATE) as made:
        yield made


@contextmanager
def worker(settings: Settings, folder: Path, *arguments: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A worker process; killed at the end if it still runs."""
    environment: Mapping[str, str] = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TONGDAI_KAFKA_BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "TONGDAI_KAFKA_TOPIC_PREFIX": settings.kafka.topic_prefix,
        "TONGDAI_POSTGRES_DSN": settings.postgres.dsn.get_secret_value(),
        "TONGDAI_LOG_FORMAT": "json",
        **{f"TONGDAI_{name}": value for name, value in more.items()},
    }
    command = [sys.executable, "-m", "tests.runtime.copying_worker", *arguments]
    with subprocess.Popen(command, env=environment, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


async def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code and what it wrote."""
    _, told = await asyncio.to_thread(process.communicate, None, DEADLINE_S)
    return process.returncode, told


async def works(lanes: Lanes, process: subprocess.Popen[str]) -> None:
    """It has done something."""

    async def copied() -> bool:
        assert process.poll() is None, await ended(process)
        return await lanes.copied_count() == 20

    await eventually(copied, "the worker copied 20 records")


async def busy(lanes: Lanes, process: subprocess.Popen[str]) -> None:
    """A handler is inside its batch: the row is locked by its transaction."""

    async def locked() -> bool:
        assert process.poll() is None, await ended(process)
        query = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
        return bool(await lanes.database.fetchval(query))

    await eventually(locked, "the worker is inside a batch")


@pytest.mark.servers
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_a_worker_in_order(lanes: Lanes, tmp_path: Path, number: signal.Signals) -> None:
    await lanes.produce([b"value"] * 20)
    with worker(lanes.settings, tmp_path) as process:
        await works(lanes, process)
        process.send_signal(number)
        code, told = await ended(process)
    assert code == 0, told
    assert "worker_stopped" in told
    assert await lanes.database.fetchval("SELECT count(*) FROM lane WHERE owner IS NOT NULL") == 0
    assert await lanes.database.fetchval("SELECT count(*) FROM pending") == 0
    assert len(await lanes.readable(20)) == 20


@pytest.mark.servers
async def test_a_worker_that_cannot_stop_in_time_ends_with_an_error_and_keeps_nothing(
    lanes: Lanes, tmp_path: Path
) -> None:
    await lanes.produce([b"value"])
    deadlines = {
        "RUNTIME_STOP_DEADLINE_S": "6",
        "RUNTIME_KAFKA_DEADLINE_S": "5",
        "DELIVERY_REQUEST_TIMEOUT_S": "5",
    }
    with worker(lanes.settings, tmp_path, "slow", **deadlines) as process:
        await busy(lanes, process)
        process.send_signal(signal.SIGTERM)
        code, told = await ended(process)
    assert code != 0
    assert "stopping runtime intake took longer than 6 s" in told
    assert await lanes.copied_count() == 0


@pytest.mark.servers
async def test_a_worker_whose_health_port_is_taken_does_not_begin(lanes: Lanes, tmp_path: Path) -> None:
    kafka_port = lanes.settings.kafka.bootstrap_servers.rpartition(":")[2]
    with worker(lanes.settings, tmp_path, RUNTIME_HEALTH_PORT=kafka_port) as process:
        code, told = await ended(process)
    assert code != 0
    assert "TONGDAI_RUNTIME_HEALTH_PORT" in told
    assert "worker_started" not in told


@pytest.mark.servers
async def test_a_worker_ends_when_its_servers_are_not_there_in_time(
    kafka_settings: Settings, tmp_path: Path
) -> None:
    nowhere = kafka_settings.with_servers(
        bootstrap_servers="127.0.0.1:9", dsn="postgresql://u:secret@127.0.0.1:9/d"
    )
    with worker(nowhere, tmp_path, RUNTIME_DEPENDENCY_START_TIMEOUT_S="1.5") as process:
        code, told = await ended(process)
    assert code != 0
    assert "Postgres at" in told
    assert "does not answer" in told
    assert "secret" not in told


@pytest.mark.servers
async def test_a_worker_does_not_begin_on_a_database_that_was_not_migrated(
    kafka_settings: Settings, topics: dict[str, str], empty_database: str, tmp_path: Path
) -> None:
    servers = kafka_settings.kafka.bootstrap_servers
    settings = kafka_settings.with_servers(bootstrap_servers=servers, dsn=empty_database)
    with worker(settings, tmp_path) as process:
        code, told = await ended(process)
    assert code != 0
    assert "tongdai migrate" in told
