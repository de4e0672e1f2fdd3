"""The processes that are measured, and the gateway's processor time and memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple

from bench.arena import Course
from bench.failures import BenchError
from bench.program import TONGDAI, Program, environment
from bench.sockets.people import SIGNING_KEY
from config.problem import variable
from workers.local.crew.readiness import until_ready
from workers.local.ports import free_port

READY_DEADLINE_S = 60.0
CHECK_S = 0.2
CLICKS_MAX = "1000000"
"""More than any agent makes in a second: what is measured is no limit of ours."""
LIMITS = ("agent_rate_per_s", "agent_rate_burst", "address_rate_per_s", "address_rate_burst")
"""All the agents sit behind one address, and none of them is to be told to slow down."""
WORKERS: Mapping[str, Sequence[str]] = {
    "routing": (*TONGDAI, "worker", "routing"),
    "notifier": (*TONGDAI, "worker", "notifier"),
}
GATEWAY = (*TONGDAI, "worker", "gateway")
FLOOR = ("-m", "bench.peers.fanout")


class Serving(NamedTuple):
    """A gateway, or what stands in its place."""

    program: Program
    port: int


async def start_workers(course: Course, stack: AsyncExitStack) -> list[Program]:
    """Routing and notifier, ready; stopped at the end of `stack`. Raises BenchError."""
    programs = []
    for name, arguments in WORKERS.items():
        port = free_port()
        told = environment(course.settings) | {variable("runtime", "health_port"): str(port)}
        programs.append(await start(name, arguments, told, port, course, stack))
    return programs


async def start_gateway(
    course: Course, stack: AsyncExitStack, arguments: Sequence[str] = GATEWAY, name: str = "gateway"
) -> Serving:
    """A gateway of its own, ready; stopped at the end of `stack`. Raises BenchError."""
    port = free_port()
    told = environment(course.settings) | {
        variable("gateway", "port"): str(port),
        variable("gateway", "signing_key"): SIGNING_KEY,
        **{variable("gateway", limit): CLICKS_MAX for limit in LIMITS},
    }
    return Serving(await start(name, arguments, told, port, course, stack), port)


async def start(
    name: str,
    arguments: Sequence[str],
    told: Mapping[str, str],
    port: int,
    course: Course,
    stack: AsyncExitStack,
) -> Program:
    """A worker of Tongdai, or what stands in its place, ready; stopped at the end of `stack`.

    Args:
        told: its environment.
        port: where it says that it is ready.

    Raises BenchError.
    """
    program = Program(name, arguments, told, course.log_dir)
    stack.push_async_callback(program.stop)
    ready = asyncio.create_task(until_ready("127.0.0.1", port))
    try:
        async with asyncio.timeout(READY_DEADLINE_S):
            while not ready.done():
                program.check()
                await asyncio.wait((ready,), timeout=CHECK_S)
    except TimeoutError:
        raise BenchError(f"{name} is not ready after {READY_DEADLINE_S:g} s") from None
    finally:
        ready.cancel()
    return program
