"""The watchdog ends a real process in which nothing moves, and only then."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import pytest

from workers.local.ports import LOOPBACK, free_port
from workers.runtime import watchdog
from workers.runtime.status import Status
from workers.runtime.watchdog import Watchdog, any_reachable, task_stacks

DEADLINE_S = 90.0

STUCK = """
import asyncio, sys, time
from time import monotonic
from workers.local.ports import LOOPBACK, free_port
from workers.runtime import watchdog
from workers.runtime.status import Status

watchdog.CHECK_INTERVAL_S = 0.05

async def a_task_that_waits() -> None:
    await asyncio.Event().wait()

async def main(what: str, servers: str, limit_s: str) -> None:
    status = Status("intake", waiting_for=None, lag=5)
    waiting = asyncio.create_task(a_task_that_waits(), name="waiting")
    watchdog.Watchdog(
        [status], asyncio.get_running_loop(), limit_s=float(limit_s), bootstrap_servers=servers
    ).start()
    if what == "blocked":
        time.sleep(60)
    print("running", flush=True)
    if what == "silent":
        def silent(*_: object, **__: object) -> None:
            time.sleep(60)
        watchdog.log = type("Log", (), {"critical": silent})()
        watchdog.TELL_LIMIT_S = 0.2
    while True:
        status.beat_at = monotonic()
        if what == "moving":
            status.moved_at = monotonic()
        await asyncio.sleep(0.02)

asyncio.run(main(*sys.argv[1:]))
"""


@contextmanager
def listening() -> Iterator[str]:
    """The address of a server that takes connections."""
    with socket.create_server((LOOPBACK, 0)) as server:
        yield f"{LOOPBACK}:{server.getsockname()[1]}"


def nobody() -> str:
    """An address at which nobody listens."""
    return f"{LOOPBACK}:{free_port()}"


def run(what: str, servers: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", STUCK, what, servers, "0.3"]
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)


@pytest.mark.parametrize("what", ["stuck", "blocked"])
def test_a_process_in_which_nothing_moves_ends_with_code_1_and_tells_where_it_hangs(what: str) -> None:
    with listening() as servers:
        ended = run(what, servers)
    assert ended.returncode == 1
    assert "Current thread" in ended.stderr
    assert "stuck" in ended.stdout
    assert "lag" in ended.stdout
    assert "a_task_that_waits" in ended.stdout + ended.stderr


def test_a_process_that_cannot_even_log_ends_all_the_same() -> None:
    with listening() as servers:
        ended = run("silent", servers)
    assert ended.returncode == 1
    assert "Timeout" in ended.stderr


@pytest.mark.parametrize(("what", "limit_s"), [("moving", 2.0), ("stuck", 0.3)])
def test_a_process_lives_while_it_moves_or_kafka_cannot_be_reached(what: str, limit_s: float) -> None:
    with listening() as reachable:
        servers = reachable if what == "moving" else nobody()
        process = subprocess.Popen(
            [sys.executable, "-c", STUCK, what, servers, str(limit_s)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"running\n"
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=limit_s + 1)
        finally:
            process.kill()
            process.communicate()


async def test_after_an_outage_of_kafka_there_is_the_whole_limit_to_catch_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reachable, asked = False, threading.Event()
    exited: list[float] = []

    def answer(_: str) -> bool:
        asked.set()
        return reachable

    monkeypatch.setattr(watchdog, "CHECK_INTERVAL_S", 0.01)
    monkeypatch.setattr(watchdog, "any_reachable", answer)
    status = Status("intake", waiting_for=None, lag=5, moved_at=monotonic() - 100)
    dog = Watchdog([status], asyncio.get_running_loop(), limit_s=0.5, bootstrap_servers="")

    def end(_: object) -> None:
        exited.append(monotonic())
        dog.end()

    monkeypatch.setattr(dog, "_exit", end)
    dog.start()
    assert await asyncio.to_thread(asked.wait, DEADLINE_S)
    reachable, back_at = True, monotonic()
    await asyncio.to_thread(dog.join, DEADLINE_S)
    assert exited
    assert exited[0] - back_at > 0.2


async def test_what_moves_again_while_kafka_is_asked_for_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    status = Status("intake", waiting_for=None, lag=5, moved_at=monotonic() - 100)
    dog = Watchdog([status], asyncio.get_running_loop(), limit_s=30.0, bootstrap_servers="")
    exited: list[object] = []

    def answer(_: str) -> bool:
        status.moved_at = monotonic()
        dog.end()
        return True

    monkeypatch.setattr(watchdog, "CHECK_INTERVAL_S", 0.01)
    monkeypatch.setattr(watchdog, "any_reachable", answer)
    monkeypatch.setattr(dog, "_exit", exited.append)
    dog.start()
    await asyncio.to_thread(dog.join, DEADLINE_S)
    assert exited == []


def test_one_of_several_servers_is_enough() -> None:
    with listening() as server:
        assert any_reachable(f"{nobody()},{server}")
    assert not any_reachable(f"{nobody()},{nobody()}")


async def test_the_stacks_name_what_each_task_waits_for() -> None:
    begun = asyncio.Event()

    async def waits_here() -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(waits_here())
    await begun.wait()
    assert "waits_here" in task_stacks(asyncio.get_running_loop())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
