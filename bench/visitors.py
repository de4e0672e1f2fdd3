"""Many visitors on a website at one ingress: how soon what they write reaches the agents' sockets.

And how soon the windows close of those who are kept out, also when the ingress has just been started again.
"""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from bench.arena import DATA_DIR, Course, open_arena
from bench.failures import BenchError
from bench.generator import generate
from bench.machine import Machine
from bench.percentiles import Percentiles
from bench.program import TONGDAI, environment
from bench.roster import DESK, WORKSPACE
from bench.sockets.people import OWNER, Person, open_accounts
from bench.sockets.team import start, start_gateway, start_workers
from bench.throughput import Tell
from bench.visits.crowd import CrowdPlan
from config.problem import variable
from config.settings import Settings
from schemas.definitions import Agent, Page, Rule
from workers.local.ports import free_port
from workers.workspace.command_writer import configure_command, send
from workers.workspace.workspace import DeskRoster

INGRESS = (*TONGDAI, "worker", "ingress")
SITE, ORIGIN = "bench", "https://shop.example"
PAGE = f"web:{SITE}"
AGENTS = tuple(f"agent-{number:02}" for number in range(1, 21))
NO_LIMIT = "1000000"
LIMITS = ("address_rate_per_s", "address_rate_burst", "visitor_rate_per_s", "visitor_rate_burst")
"""All visitors sit behind one address, and none of them is to be told to slow down."""
SLACK_S = 300.0
"""For opening the sockets, the first messages, and what is late."""
_REGISTER = "INSERT INTO page_registry (page_id, workspace_id, desk_id) VALUES ($1, $2, $3)"


@dataclass(frozen=True)
class VisitorsPlan:
    """How many are there, how many of them write, how many messages a second together, for how long."""

    visitors: int = 5_000
    writing: int = 500
    rate_per_s: float = 200.0
    seconds: float = 30.0
    blocked: int = 100
    """So many of those who write are kept out in the end, and as many again after a restart."""


@dataclass(frozen=True)
class VisitorsLoad:
    """What was found. `taken_ms`: until Kafka has it; `told_ms`: until the agent's socket has it.

    `closed_ms`: from an agent's click until the window closes; `closed_anew_ms`: after a restart.
    """

    plan: VisitorsPlan
    taken_ms: list[float]
    told_ms: list[float]
    closed_ms: list[float]
    closed_anew_ms: list[float]
    ingress_busy: float
    """Of one core, while visitors wrote and before."""
    ingress_mib: float
    generator_busy: float
    """Of one core: near 1 the figures would be the generator's."""
    machine: Machine

    def report(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "taken_ms": asdict(Percentiles.of(self.taken_ms)),
            "told_ms": asdict(Percentiles.of(self.told_ms)),
            "closed_ms": asdict(Percentiles.of(self.closed_ms)),
            "closed_anew_ms": asdict(Percentiles.of(self.closed_anew_ms)),
            "ingress": {"busy": self.ingress_busy, "mib": self.ingress_mib},
            "generator_busy": self.generator_busy,
            "machine": asdict(self.machine),
            "workload": asdict(self.plan),
        }


async def measure(
    settings: Settings, plan: VisitorsPlan, tell: Tell, data_dir: Path = DATA_DIR
) -> VisitorsLoad:
    """Run it. Raises BenchError, also when a message reaches no agent or one twice, and DependencyError."""
    async with open_arena(settings, data_dir) as arena, arena.course() as course, AsyncExitStack() as stack:
        agents = await _open_shop(course)
        await start_workers(course, stack)
        gateway = await start_gateway(course, stack)
        port = free_port()
        ingress = await start("ingress", INGRESS, _website(course, port), port, course, stack)
        crowd = CrowdPlan(
            *(plan.visitors, plan.writing, plan.rate_per_s, plan.seconds, port, gateway.port, SITE, ORIGIN),
            agents=[(one.name, one.token) for one in agents],
            blocked=plan.blocked,
        )
        tell(f"{plan.visitors:,} visitors come; {plan.writing:,} of them write")
        began_s = time.monotonic()
        found = await generate("bench.visits.crowd", crowd, plan.seconds + SLACK_S)
        if found["again"]:
            raise BenchError(f"agents were told {found['again']} messages twice")
        busy, mib = ingress.cpu_s() / (time.monotonic() - began_s), ingress.peak_rss_mib()
        tell("the ingress is killed and started again; all come back")
        await ingress.kill()
        await start("ingress", INGRESS, _website(course, port), port, course, stack)
        back = crowd._replace(writing=plan.blocked, seconds=0.0, kept_out=plan.blocked)
        anew = await generate("bench.visits.crowd", back, SLACK_S)
        return VisitorsLoad(
            plan,
            found["taken_ms"],
            found["told_ms"],
            found["closed_ms"],
            anew["closed_ms"],
            round(busy, 3),
            mib,
            found["busy"],
            arena.machine,
        )


async def _open_shop(course: Course) -> list[Person]:
    """One page, whose rule gives each visitor to the next agent."""
    await course.connection.execute(_REGISTER, PAGE, WORKSPACE, DESK)
    roster = DeskRoster(
        id=DESK,
        agents=tuple(Agent(id=agent, name=agent) for agent in (OWNER, *AGENTS)),
        departments=(),
        pages=(Page(id=PAGE, name="Website", admins=(OWNER,)),),
        rules=(Rule(id="turn", name="turn", owner=OWNER, pages=(PAGE,), agents=AGENTS),),
    )
    await send(course.settings, [configure_command(WORKSPACE, roster, "cli:bench")])
    return await open_accounts(course.connection, AGENTS)


def _website(course: Course, port: int) -> dict[str, str]:
    """The environment of an ingress with the site."""
    sites = [{"site": SITE, "origins": [ORIGIN]}]
    return environment(course.settings) | {
        variable("ingress", "port"): str(port),
        variable("website", "sites"): orjson.dumps(sites).decode(),
        variable("website", "keys"): "a key of the benchmark that nobody else has",
        variable("website", "sockets_max"): "100000",
        variable("website", "sockets_per_address_max"): "100000",
        **{variable("website", limit): NO_LIMIT for limit in LIMITS},
    }
