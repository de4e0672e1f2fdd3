"""Latency at a steady rate: from inbound's append to the notification, beside two bare hops."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from bench.arena import DATA_DIR, Course, open_arena
from bench.arrivals import Arrivals, Way
from bench.crowd import Crowd
from bench.failures import BenchError
from bench.machine import Machine
from bench.percentiles import Percentiles
from bench.program import TONGDAI, Program, environment
from bench.roster import configure_desk, register_pages
from bench.stages import Counts, Stage, read_counts, stages_between
from bench.throughput import Tell
from bench.traffic import Traffic
from bench.workload import SEED
from config.problem import variable
from config.settings import Settings
from workers.local.ports import free_port

WARM_UP_S = 20.0
"""Java compiles the broker meanwhile, for which it takes half a core."""
FIRST_RATE, FIRST_S = 20.0, 1.0
"""A few messages to begin with: when they have arrived, all workers are at work."""

WATCH_S = 0.5
READY_TIMEOUT_S = 60.0

LABELS: dict[Way, str] = {
    "bare": "two bare hops",
    "held": "message of a held conversation (two hops)",
    "new": "first message of a new one (three hops)",
}
BARE = {
    "hop1": ("-m", "bench.peers.hop", "inbound", "messages"),
    "hop2": ("-m", "bench.peers.hop", "messages", "notifications"),
}
OURS = {"routing": (*TONGDAI, "worker", "routing"), "notifier": (*TONGDAI, "worker", "notifier")}


@dataclass(frozen=True)
class LatencyPlan:
    """`rate` in messages a second, `seconds` of measuring in each run, `rounds` of both runs in turn."""

    rate: float
    seconds: float
    rounds: int = 1
    warm_up_s: float = WARM_UP_S


@dataclass(frozen=True)
class Latency:
    """What was measured, over all rounds."""

    plan: LatencyPlan
    runs: dict[Way, list[float]]
    stages: list[Stage]
    machine: Machine

    def percentiles(self) -> dict[Way, Percentiles]:
        """Of each way."""
        return {way: Percentiles.of(self.runs[way]) for way in LABELS}

    def report(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "runs": {way: asdict(percentiles) for way, percentiles in self.percentiles().items()},
            "stages": [asdict(stage) for stage in self.stages],
            "machine": asdict(self.machine),
            "workload": asdict(self.plan) | {"seed": SEED},
        }


class Taken(NamedTuple):
    """What one team's run told: latencies in milliseconds; of ours where the time went; the processor time of
    each program in seconds."""

    latencies_ms: dict[Way, list[float]]
    stages: list[Stage]
    cpu_s: dict[str, float]


async def measure(settings: Settings, plan: LatencyPlan, tell: Tell, data_dir: Path = DATA_DIR) -> Latency:
    """Run bare hops and ours in turn. Raises BenchError, DependencyError."""
    runs: dict[Way, list[float]] = {way: [] for way in LABELS}
    stages: list[Stage] = []
    async with open_arena(settings, data_dir) as arena:
        for number in range(plan.rounds):
            for name, programs in (("two bare hops", BARE), ("Tongdai", OURS)):
                async with arena.course() as course:
                    found, stages, _ = await run_once(course, plan, programs)
                for way, latencies_ms in found.items():
                    runs[way].extend(latencies_ms)
                tell(f"round {number + 1}: {name}: {sum(map(len, found.values())):,} messages arrived")
    return Latency(plan, runs, stages, arena.machine)


async def run_once(course: Course, plan: LatencyPlan, programs: Mapping[str, Sequence[str]]) -> Taken:
    """Let one team take traffic. Raises BenchError."""
    crowd = Crowd(SEED)
    await register_pages(course.connection)
    await configure_desk(course.settings)
    async with AsyncExitStack() as stack:
        team = Team(stack, course, programs)
        traffic = await stack.enter_async_context(Traffic(course.settings, crowd))
        arrivals = Arrivals(traffic, crowd.has_agent)
        async with asyncio.TaskGroup() as tasks:
            beside = [tasks.create_task(work) for work in (arrivals.listen(course.settings), team.watch())]
            await team.ready()
            before = await _warm_up(plan, traffic, arrivals, team)
            since, cpu_before_s = traffic.sent, team.cpu_s()
            await traffic.send(plan.rate, plan.seconds)
            await arrivals.caught_up()
            cpu_s = {name: taken_s - cpu_before_s[name] for name, taken_s in team.cpu_s().items()}
            after = await read_counts(team.ports)
            for task in beside:
                task.cancel()
    return Taken(arrivals.latencies_ms(since), stages_between(before, after), cpu_s)


async def _warm_up(plan: LatencyPlan, traffic: Traffic, arrivals: Arrivals, team: Team) -> Counts:
    """Until everything is at work and busy as it will be; returns what the workers have counted by then."""
    await traffic.send(FIRST_RATE, FIRST_S)
    await arrivals.caught_up()
    await traffic.send(plan.rate, plan.warm_up_s)
    await arrivals.caught_up()
    return await read_counts(team.ports)


class Team:
    """The programs of one run, stopped at the end of `stack`.

    Attributes:
        ports: of the health pages of those that are ours.
    """

    def __init__(self, stack: AsyncExitStack, course: Course, programs: Mapping[str, Sequence[str]]) -> None:
        self._programs = []
        self.ports = []
        for name, arguments in programs.items():
            port = free_port()
            told = environment(course.settings) | {variable("runtime", "health_port"): str(port)}
            program = Program(name, arguments, told, course.log_dir)
            stack.push_async_callback(program.stop)
            self._programs.append(program)
            if arguments[: len(TONGDAI)] == TONGDAI:
                self.ports.append(port)

    async def ready(self) -> None:
        """Return when each of ours has its lanes. Raises BenchError when that takes too long."""
        try:
            async with asyncio.timeout(READY_TIMEOUT_S), httpx.AsyncClient() as client:
                while True:
                    if all([await _is_ready(client, port) for port in self.ports]):
                        return
                    await asyncio.sleep(WATCH_S)
        except TimeoutError as error:
            raise BenchError(f"the workers are not ready after {READY_TIMEOUT_S:g} s") from error

    def cpu_s(self) -> dict[str, float]:
        """The processor time that each program has taken so far, in seconds."""
        return {program.name: program.cpu_s() for program in self._programs}

    def check(self) -> None:
        """Raise BenchError when one of them has ended."""
        for program in self._programs:
            program.check()

    async def watch(self) -> None:
        """Raise BenchError as soon as one of them has ended."""
        while True:
            self.check()
            await asyncio.sleep(WATCH_S)


async def _is_ready(client: httpx.AsyncClient, port: int) -> bool:
    try:
        return (await client.get(f"http://127.0.0.1:{port}/readyz")).is_success
    except httpx.TransportError:
        return False
