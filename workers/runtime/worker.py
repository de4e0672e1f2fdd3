"""A worker: one process with its runtimes, side tasks, signals and health."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any

import asyncpg
import structlog

from config.errors import TongdaiError
from config.settings import Settings
from config.told import told
from workers.migrations import lacking_migrations
from workers.runtime.failures import DependencyDownError, SideTaskEndedError, TopologyError
from workers.runtime.handler import Handler
from workers.runtime.health import HealthServer
from workers.runtime.postgres import connect, disconnect
from workers.runtime.runtime import Runtime, read_topology
from workers.runtime.topology import Topology
from workers.runtime.upkeep import Chore, keep_up
from workers.runtime.watchdog import Watchdog

log = structlog.get_logger(__name__)

MakeHandlers = Callable[[Topology, Settings], Sequence[Handler]]
SideTasks = Mapping[str, Callable[[], Coroutine[Any, Any, None]]]
"""What else the worker does, by name."""


class LateStopError(TongdaiError, TimeoutError):
    """Stopping took longer than its deadline: what was under way is done again by whoever is next."""


async def run_worker(
    name: str,
    make_handlers: MakeHandlers,
    settings: Settings,
    chores: Sequence[Chore] = (),
    side_tasks: SideTasks | None = None,
) -> None:
    """Run the handlers, and `chores` and `side_tasks` beside them, until SIGTERM or SIGINT.

    A side task is cancelled once the lanes are given up, and may still bring something to its end.

    Raises DependencyDownError when Kafka or Postgres are not there in time, TopologyError,
    FencedTooOftenError, SideTaskEndedError, LateStopError.
    """
    stopping = asyncio.Event()
    with stop_signals(stopping):
        topology = await dependencies(settings)
        runtimes = [Runtime(handler, topology, settings) for handler in make_handlers(topology, settings)]
        statuses = [runtime.status for runtime in runtimes]
        watchdog = Watchdog(
            statuses,
            asyncio.get_running_loop(),
            limit_s=settings.runtime.watchdog_s,
            bootstrap_servers=settings.kafka.bootstrap_servers,
        )
        watchdog.start()
        health = HealthServer(statuses, settings.runtime.health_host, settings.runtime.health_port)
        beside = {"health": health.serve()}
        beside |= {task: begin() for task, begin in (side_tasks or {}).items()}
        if chores:
            beside["upkeep"] = keep_up(chores, settings)
        log.info("worker_started", worker=name, kinds=[status.kind for status in statuses])
        try:
            await supervise(
                {f"runtime {runtime.status.kind}": runtime.run(stopping) for runtime in runtimes},
                beside,
                stopping,
                settings.runtime.stop_deadline_s,
            )
        finally:
            watchdog.end()
    log.info("worker_stopped", worker=name)


async def supervise(
    runtimes: dict[str, Coroutine[Any, Any, None]],
    side_tasks: dict[str, Coroutine[Any, Any, None]],
    stopping: asyncio.Event,
    stop_deadline_s: float,
) -> None:
    """Run them all. The end of any of them before `stopping`, even by cancellation, ends the worker."""
    working = [asyncio.create_task(coroutine, name=name) for name, coroutine in runtimes.items()]
    beside = [asyncio.create_task(coroutine, name=name) for name, coroutine in side_tasks.items()]
    stop = asyncio.create_task(stopping.wait(), name="stop")
    await asyncio.wait([*working, *beside, stop], return_when=asyncio.FIRST_COMPLETED)
    ended_early = [] if stopping.is_set() else [task for task in [*working, *beside] if task.done()]
    stopping.set()
    stopped, late = await asyncio.wait(working, timeout=stop_deadline_s)
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)
    _raise_failures(stopped, ended_early)
    if late:
        names = " and ".join(sorted(task.get_name() for task in late))
        raise LateStopError(f"stopping {names} took longer than {stop_deadline_s:g} s")


def _raise_failures(
    stopped: Collection[asyncio.Task[None]], ended_early: Collection[asyncio.Task[None]]
) -> None:
    """Raise what went wrong, beginning with why the worker had to end."""
    for task in [*ended_early, *stopped]:
        if task.cancelled():
            raise SideTaskEndedError(f"{task.get_name()} was cancelled by nobody")
        error = task.exception()
        if error is not None:
            raise error
    for task in ended_early:
        raise SideTaskEndedError(f"{task.get_name()} has ended")


async def dependencies(settings: Settings) -> Topology:
    """Wait for Kafka and Postgres, and check that both are prepared.

    Raises DependencyDownError when they are not there in time, TopologyError.
    """
    async with _deadline_for_dependencies(settings.runtime.dependency_start_timeout_s) as last_error:
        while True:
            try:
                missing = await _lacking(settings)
                topology = await read_topology(settings)
                break
            except DependencyDownError as error:
                last_error.append(error)
                log.warning("dependency_down", error=error)
                await asyncio.sleep(0.5)
    if missing:
        raise TopologyError(f"the database lacks the migrations {', '.join(missing)}; run `tongdai migrate`")
    return topology


async def _lacking(settings: Settings) -> Sequence[str]:
    connection = await connect(settings, "tongdai start")
    try:
        return await lacking_migrations(connection)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DependencyDownError(f"Postgres went away: {told(error)}") from error
    finally:
        await disconnect(connection)


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


@contextlib.contextmanager
def stop_signals(stopping: asyncio.Event) -> Any:  # noqa: ANN401  a generator
    """SIGTERM and SIGINT ask for a graceful stop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
