"""A worker: one process with its runtimes, side tasks, signals and health."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple

import structlog

from config.settings import Settings
from workers.runtime.dependencies import dependencies
from workers.runtime.handler import Handler
from workers.runtime.health import HealthServer
from workers.runtime.runtime import Runtime
from workers.runtime.status import Status
from workers.runtime.supervision import Coroutines, supervise
from workers.runtime.topology import Topology
from workers.runtime.upkeep import Chore, keep_up
from workers.runtime.watchdog import Watchdog

log = structlog.get_logger(__name__)

MakeHandlers = Callable[[Topology, Settings], Sequence[Handler]]
SideTasks = Mapping[str, Callable[[], Coroutine[Any, Any, None]]]
"""What else the worker does, by name."""


class Work(NamedTuple):
    """What a worker does."""

    statuses: Sequence[Status]
    """Of which health and the watchdog judge."""
    main: Coroutines
    """Ended within the deadline for stopping, or the worker has failed."""
    beside: Coroutines


async def run_worker(
    name: str,
    make_handlers: MakeHandlers,
    settings: Settings,
    chores: Sequence[Chore] = (),
    side_tasks: SideTasks | None = None,
) -> None:
    """Run the handlers, and `chores` and `side_tasks` beside them, until SIGTERM or SIGINT.

    A side task is cancelled when the lanes begin to be given up: it brings to its end what is under way, and
    begins nothing more.

    Raises DependencyDownError when Kafka or Postgres are not there in time, TopologyError,
    FencedTooOftenError, SideTaskEndedError, LateStopError.
    """

    def begin(topology: Topology, stopping: asyncio.Event) -> Work:
        runtimes = [Runtime(handler, topology, settings) for handler in make_handlers(topology, settings)]
        beside = {task: coroutine() for task, coroutine in (side_tasks or {}).items()}
        if chores:
            beside["upkeep"] = keep_up(chores, settings)
        return Work(
            [runtime.status for runtime in runtimes],
            {f"runtime {runtime.status.kind}": runtime.run(stopping) for runtime in runtimes},
            beside,
        )

    await run_work(name, settings, begin)


async def run_work(name: str, settings: Settings, begin: Callable[[Topology, asyncio.Event], Work]) -> None:
    """Do what `begin` returns once Kafka and Postgres are there, until SIGTERM or SIGINT; health tells of it.

    `begin` gets the event that asks for the end. Raises as `run_worker` does.
    """
    stopping = asyncio.Event()
    with stop_signals(stopping):
        topology = await dependencies(settings, stopping)
        if topology is not None:
            await _go_on(name, settings, begin(topology, stopping), stopping)
    log.info("worker_stopped", worker=name)


async def _go_on(name: str, settings: Settings, work: Work, stopping: asyncio.Event) -> None:
    runtime = settings.runtime
    watchdog = Watchdog(
        work.statuses,
        asyncio.get_running_loop(),
        limit_s=runtime.watchdog_s,
        bootstrap_servers=settings.kafka.bootstrap_servers,
    )
    watchdog.start()
    health = HealthServer(work.statuses, runtime.health_host, runtime.health_port)
    log.info("worker_started", worker=name, kinds=[status.kind for status in work.statuses])
    try:
        await supervise(work.main, work.beside, health.serve(), stopping, runtime.stop_deadline_s)
    finally:
        watchdog.end()


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
