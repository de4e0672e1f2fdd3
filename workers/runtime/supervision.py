"""Running what a worker consists of, and ending it in time, whatever ends first."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Mapping
from typing import Any

import structlog

from config.errors import TongdaiError
from config.runtime import CLOSING_S, SIDE_SPARE_S
from workers.runtime.failures import SideTaskEndedError

log = structlog.get_logger(__name__)

Coroutines = Mapping[str, Coroutine[Any, Any, None]]
"""By what they are called."""
Tasks = Collection[asyncio.Task[None]]


class LateStopError(TongdaiError, TimeoutError):
    """Stopping took longer than its deadline: what was under way is done again by whoever is next."""


async def supervise(
    runtimes: Coroutines,
    side_tasks: Coroutines,
    health: Coroutine[Any, Any, None],
    stopping: asyncio.Event,
    stop_deadline_s: float,
) -> None:
    """Run them all. The end of any of them before `stopping`, even by cancellation, ends the worker.

    Side tasks are cancelled as soon as it is `stopping`, beside the runtimes, and have SIDE_SPARE_S longer;
    health answers to the end.
    """
    working, beside = _begun(runtimes), _begun(side_tasks)
    answering = asyncio.create_task(health, name="health")
    stop = asyncio.create_task(stopping.wait(), name="stop")
    everything = [*working, *beside, answering]
    await asyncio.wait([*everything, stop], return_when=asyncio.FIRST_COMPLETED)
    ended_early = [] if stopping.is_set() else [task for task in everything if task.done()]
    stopping.set()
    (stopped, late), _ = await asyncio.gather(
        _ended(working, stop_deadline_s), _end(beside, stop_deadline_s + SIDE_SPARE_S)
    )
    await _end([answering], CLOSING_S)
    _raise_failures(stopped, ended_early)
    if late:
        names = " and ".join(sorted(task.get_name() for task in late))
        raise LateStopError(f"stopping {names} took longer than {stop_deadline_s:g} s")


def _begun(coroutines: Coroutines) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(coroutine, name=name) for name, coroutine in coroutines.items()]


async def _end(tasks: Tasks, timeout_s: float) -> None:
    """Have them bring to its end what is under way, as far as there is time."""
    for task in tasks:
        task.cancel()
    ended, late = await _ended(tasks, timeout_s)
    await asyncio.gather(*ended, return_exceptions=True)
    for task in late:
        log.error("side_task_cut_off", task=task.get_name(), after_s=timeout_s)


async def _ended(tasks: Tasks, timeout_s: float) -> tuple[Tasks, Tasks]:
    """Those that have ended in time, and those that have not: these are cut off."""
    if not tasks:
        return (), ()
    ended, late = await asyncio.wait(tasks, timeout=timeout_s)
    for task in late:
        task.cancel()
    return ended, late


def _raise_failures(stopped: Tasks, ended_early: Tasks) -> None:
    """Raise what went wrong, beginning with why the worker had to end."""
    for task in [*ended_early, *stopped]:
        if task.cancelled():
            raise SideTaskEndedError(f"{task.get_name()} was cancelled by nobody")
        error = task.exception()
        if error is not None:
            raise error
    for task in ended_early:
        raise SideTaskEndedError(f"{task.get_name()} has ended")
