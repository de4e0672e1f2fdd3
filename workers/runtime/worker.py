"""A worker: one process with its runtimes, side tasks, signals and health."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any

import structlog

from config.errors import TongdaiError
from config.settings import Settings
from workers.runtime.dependencies import dependencies
from workers.runtime.failures import SideTaskEndedError
from workers.runtime.handler import Handler
from workers.runtime.health import HealthServer
from workers.runtime.runtime import Runtime
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
        topology = await dependencies(settings, stopping)
        if topology is None:
            log.info("worker_stopped", worker=name)
            return
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
