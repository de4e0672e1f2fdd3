"""A quiet day: how soon workers that start give the first customer an agent, what they take of the machine
while nobody writes, and how long a message takes when few do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from bench.arena import DATA_DIR, Arena, Course, open_arena
from bench.arrivals import Way
from bench.crowd import Crowd
from bench.failures import BenchError
from bench.latency import BARE, OURS, LatencyPlan, Team, run_once
from bench.machine import Machine, family_cpu_s
from bench.percentiles import Percentiles
from bench.preload import preload
from bench.progress import Assigned
from bench.roster import configure_desk, register_pages
from bench.throughput import Tell
from bench.workload import SEED
from config.settings import Settings

POLL_S = 0.01
FIRST_TIMEOUT_S = 60.0
"""For the first assignment after a start."""
TIDIED_S = 5.0
"""After which Postgres has tidied up behind emptied tables."""


@dataclass(frozen=True)
class QuietPlan:
    """So many starts after one that does not count, so many seconds of idling, and a little traffic."""

    starts: int
    idle_s: float
    traffic: LatencyPlan


@dataclass(frozen=True)
class Quiet:
    """What was found.

    Attributes:
        starts_s: from the start of a routing worker to the first assignment that can be read, in seconds.
        idle: the share of a core that each takes while nobody writes: routing, notifier, Postgres.
        latencies_ms: of the little traffic, by way.
    """

    plan: QuietPlan
    starts_s: Sequence[float]
    idle: dict[str, float]
    latencies_ms: dict[Way, list[float]]
    machine: Machine

    def percentiles(self) -> dict[Way, Percentiles]:
        """Of each way."""
        return {way: Percentiles.of(found) for way, found in self.latencies_ms.items()}

    def report(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "starts_s": list(self.starts_s),
            "idle_cores": self.idle,
            "latency_ms": {way: asdict(found) for way, found in self.percentiles().items()},
            "machine": asdict(self.machine),
            "workload": asdict(self.plan) | {"seed": SEED},
        }


async def measure(settings: Settings, plan: QuietPlan, tell: Tell, data_dir: Path = DATA_DIR) -> Quiet:
    """One after the other. Raises BenchError, DependencyError."""
    async with open_arena(settings, data_dir) as arena:
        async with arena.course() as course:
            starts_s = await start_often(course, plan.starts)
        tell(f"first assignments after {', '.join(f'{each:.1f}' for each in starts_s)} s")
        async with arena.course() as course:
            idle = await idle_for(course, plan.idle_s)
        tell(f"idle: {', '.join(f'{name} {100 * cores:.1f} %' for name, cores in idle.items())} of a core")
        latencies_ms = await _traffic(arena, plan.traffic)
    return Quiet(plan, starts_s, idle, latencies_ms, arena.machine)


async def start_often(course: Course, starts: int) -> list[float]:
    """Seconds until a new customer who has written has an agent, start after start.

    The first start does not count: what it reads from disk and compiles, the others find. Raises BenchError.
    """
    await register_pages(course.connection)
    await configure_desk(course.settings)
    crowd = Crowd(SEED)  # nobody of it is told of an agent, so each message is a newcomer's
    async with Assigned(course.settings) as assigned:
        seconds = [await _start(course, crowd, assigned, number + 1) for number in range(starts + 1)]
    return seconds[1:]


async def _start(course: Course, crowd: Crowd, assigned: Assigned, conversations: int) -> float:
    """Until so many conversations have an agent."""
    _, said = crowd.next()
    await preload(course.settings, [said])
    async with AsyncExitStack() as stack:
        began = monotonic()
        team = Team(stack, course, {"routing": OURS["routing"]})
        while await assigned.conversations() < conversations:
            team.check()
            if monotonic() - began > FIRST_TIMEOUT_S:
                raise BenchError(f"no assignment {FIRST_TIMEOUT_S:g} s after a start")
            await asyncio.sleep(POLL_S)
        return monotonic() - began


async def idle_for(course: Course, seconds: float) -> dict[str, float]:
    """The shares of a core that workers with nothing to do take, and Postgres where it is on this machine."""
    async with AsyncExitStack() as stack:
        team = Team(stack, course, OURS)
        await team.ready()
        await asyncio.sleep(TIDIED_S)
        postgres = course.connection.get_server_pid()
        before, postgres_before_s, began = team.cpu_s(), family_cpu_s(postgres), monotonic()
        await asyncio.sleep(seconds)
        lasted_s, postgres_after_s = monotonic() - began, family_cpu_s(postgres)
        shares = {name: (taken_s - before[name]) / lasted_s for name, taken_s in team.cpu_s().items()}
        if postgres_before_s is not None and postgres_after_s is not None:
            shares["Postgres"] = (postgres_after_s - postgres_before_s) / lasted_s
    return shares


async def _traffic(arena: Arena, plan: LatencyPlan) -> dict[Way, list[float]]:
    found: dict[Way, list[float]] = {}
    for programs in (OURS, BARE):  # who comes second finds a warmer broker
        async with arena.course() as course:
            taken = await run_once(course, plan, programs)
        found |= taken.latencies_ms
    return found
