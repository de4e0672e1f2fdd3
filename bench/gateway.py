"""Many agents at one gateway who click on the same conversations, beside a bare floor."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.arena import DATA_DIR, Course, open_arena
from bench.failures import BenchError
from bench.machine import Machine
from bench.percentiles import Percentiles
from bench.sockets.beside import Beside
from bench.sockets.check import Seen
from bench.sockets.clients import clients
from bench.sockets.customers import Customers
from bench.sockets.member import Told
from bench.sockets.people import RULE, People, hire
from bench.sockets.races import Raced, Races
from bench.sockets.team import FLOOR, start_gateway, start_workers
from bench.throughput import Tell
from config.settings import Settings

COMING_PART = 1_000
"""So many sockets are opened with one order."""


@dataclass(frozen=True)
class GatewayPlan:
    """How many of each; `beside_s` seconds with and without offers beside an agent who works on."""

    agents: int = 1_000
    conversations: int = 200
    floor_conversations: int = 20
    idle: int = 10_000
    processes: int = 2
    beside_s: float = 5.0


@dataclass(frozen=True)
class Idle:
    """A gateway with sockets on which nothing happens; its largest memory in MiB."""

    sockets: int
    before_mib: float
    with_them_mib: float

    @property
    def each_kib(self) -> float:
        """What one socket takes."""
        return (self.with_them_mib - self.before_mib) * 1024 / self.sockets


@dataclass(frozen=True)
class Ours:
    """What was found of ours; times in milliseconds."""

    raced: Raced
    quiet_ms: list[float]
    """Outcomes of an agent of another rule while nothing else happens; then while offers are made."""
    disturbed_ms: list[float]
    idle: Idle

    @property
    def delayed_ms(self) -> float:
        """By how much offers delay another agent's outcome: p99 with them over p50 without."""
        return Percentiles.of(self.disturbed_ms).p99 - Percentiles.of(self.quiet_ms).p50


@dataclass(frozen=True)
class GatewayLoad:
    """All that was found."""

    plan: GatewayPlan
    ours: Ours
    floor: Raced
    machine: Machine

    def report(self) -> dict[str, Any]:
        """As JSON values."""
        ours = self.ours
        return {
            "ours": ours.raced.report(),
            "floor": self.floor.report(),
            "another_agents_outcome_ms": {
                "quiet": asdict(Percentiles.of(ours.quiet_ms)),
                "while_offers_are_made": asdict(Percentiles.of(ours.disturbed_ms)),
                "delayed": round(ours.delayed_ms, 1),
            },
            "idle": asdict(ours.idle) | {"each_kib": round(ours.idle.each_kib, 1)},
            "machine": asdict(self.machine),
            "workload": asdict(self.plan),
        }


async def measure(
    settings: Settings, plan: GatewayPlan, tell: Tell, data_dir: Path = DATA_DIR
) -> GatewayLoad:
    """Run the floor and ours, one after the other. Raises BenchError, DependencyError."""
    async with open_arena(settings, data_dir) as arena:
        async with arena.course() as course:
            floor = await run_floor(course, plan)
        tell(f"bare floor: {floor.clicks_per_s:,.0f} clicks/s")
        async with arena.course() as course:
            ours = await run_ours(course, plan, tell)
    return GatewayLoad(plan, ours, floor, arena.machine)


async def run_floor(course: Course, plan: GatewayPlan) -> Raced:
    """Sockets and one Kafka hop. Raises BenchError."""
    async with AsyncExitStack() as stack:
        serving = await start_gateway(course, stack, FLOOR, "floor")
        customers = await stack.enter_async_context(Customers(course.settings))
        agents = await stack.enter_async_context(clients(plan.processes))
        await agents.come(serving.port, [(str(number), str(number)) for number in range(plan.agents)])
        races = Races(agents, plan.agents, customers, serving)
        await races.one_after_another(plan.floor_conversations)
        await races.all_at_once(plan.floor_conversations)
        return races.raced


async def run_ours(course: Course, plan: GatewayPlan, tell: Tell) -> Ours:
    """Routing, notifier and gateway. Raises BenchError."""
    async with AsyncExitStack() as stack:
        people = await hire(course.settings, course.connection, plan.agents)
        await start_workers(course, stack)
        races, beside = await _race(course, plan, people, tell)
        seen = Seen()
        await seen.read(course.settings)
        seen.check([*races.told, *beside.told], races.over, RULE)
        tell("the topics say what the agents were told")
        idle = await _idle(course, plan, people)
        tell(f"{idle.sockets:,} idle sockets: {idle.with_them_mib:,.0f} MiB")
        return Ours(races.raced, _times_ms(beside.quiet), _times_ms(beside.disturbed), idle)


async def _race(course: Course, plan: GatewayPlan, people: People, tell: Tell) -> tuple[Races, Beside]:
    async with AsyncExitStack() as stack:
        serving = await start_gateway(course, stack)
        customers = await stack.enter_async_context(Customers(course.settings))
        agents = await stack.enter_async_context(clients(plan.processes))
        await agents.come(serving.port, people.agents)
        beside = await Beside.begin(people, customers, serving, stack)
        races = Races(agents, plan.agents, customers, serving)
        await races.one_after_another(0)
        await beside.work(customers, races.seen, plan.beside_s)
        await races.one_after_another(plan.conversations)
        tell(f"{plan.agents:,} agents: {plan.conversations:,} conversations one after another")
        await races.all_at_once(plan.conversations)
        tell(f"all at the same time: {races.raced.clicks_per_s:,.0f} clicks/s")
        await beside.check()
        if await races.unexpected() != {"assigned": len(races.over)}:
            raise BenchError(f"agents were pushed what they were not to be: {await races.unexpected()}")
        return races, beside


async def _idle(course: Course, plan: GatewayPlan, people: People) -> Idle:
    """A gateway of its own, and nothing but sockets."""
    async with AsyncExitStack() as stack:
        serving = await start_gateway(course, stack, name="idle-gateway")
        before_mib = serving.program.peak_rss_mib()
        sockets = await stack.enter_async_context(clients(plan.processes))
        everybody = [people.agents[number % len(people.agents)] for number in range(plan.idle)]
        for first in range(0, plan.idle, COMING_PART):
            await sockets.come(serving.port, everybody[first : first + COMING_PART])
        return Idle(plan.idle, before_mib, serving.program.peak_rss_mib())


def _times_ms(told: Sequence[Told]) -> list[float]:
    return [(one.told_s - one.sent_s) * 1000 for one in told]
