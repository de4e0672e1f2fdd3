"""Whether a command costs as much when there are ten thousand desks as when there is one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bench.arena import DATA_DIR, open_arena
from bench.desk_rows import BATCH, PARTITIONS, batch_of, handle_in, plan_as_workers
from bench.desk_work import WORKSPACE, chunks
from bench.machine import Machine, precise_cpu_s
from config.settings import Settings
from schemas.commands import Command, Configure, Route
from schemas.definitions import Agent, Page, Rule
from schemas.ids import conversation_id
from workers.routing.desk.handler import DEFAULT_CACHED_DESKS, DeskHandler
from workers.runtime.garbage import collect_seldom
from workers.runtime.handler import Connection

AGENTS = 12
"""Of each desk."""

Tell = Callable[[str], None]


class Cost(NamedTuple):
    """Microseconds of the processor for a command: in our process, and in Postgres when that is here."""

    desks: int
    own_us: float
    postgres_us: float | None


@dataclass(frozen=True)
class DesksPlan:
    """So many commands over each number of desks."""

    desks: Sequence[int]
    commands: int


@dataclass(frozen=True)
class DesksSpeed:
    """What was found, in order."""

    plan: DesksPlan
    costs: list[Cost]
    machine: Machine

    def report(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "commands": self.plan.commands,
            "remembered_desks": DEFAULT_CACHED_DESKS,
            "costs": [one._asdict() for one in self.costs],
            "machine": asdict(self.machine),
        }


async def measure(settings: Settings, plan: DesksPlan, tell: Tell, data_dir: Path = DATA_DIR) -> DesksSpeed:
    """Run all of it, by one handler with its usual memory. Raises BenchError, DependencyError."""
    collect_seldom()  # as a worker does
    costs = []
    async with open_arena(settings, data_dir) as arena:
        for desks in plan.desks:
            async with arena.course() as course:
                cost = await measure_one(course.connection, desks, plan.commands)
            costs.append(cost)
            tell(f"{desks:,} desks: {cost.own_us:,.0f} µs of our processor a command")
    return DesksSpeed(plan, costs, arena.machine)


async def measure_one(connection: Connection, desks: int, commands: int) -> Cost:
    """New conversations come to one desk after the other; events are made and not published."""
    handler = DeskHandler(PARTITIONS)
    await plan_as_workers(connection)
    offset = 0
    for some in chunks([_configure(number) for number in range(desks)], BATCH):
        await handle_in(handler, connection, connection, batch_of(some, offset))
        offset += len(some)
    await connection.execute("VACUUM ANALYZE")
    measured = []
    for some in chunks(list(_routes(desks, commands)), BATCH):
        measured.append(batch_of(some, offset))
        offset += len(some)
    backend = connection.get_server_pid()
    own_s, postgres_s = time.process_time(), precise_cpu_s(backend)
    for batch in measured:
        await handle_in(handler, connection, connection, batch)
    own_us = (time.process_time() - own_s) / commands * 1e6
    after_s = precise_cpu_s(backend)
    if postgres_s is None or after_s is None:
        return Cost(desks, own_us, None)
    return Cost(desks, own_us, (after_s - postgres_s) / commands * 1e6)


def _configure(number: int) -> Command:
    ids = tuple(f"d{number}-a{agent}" for agent in range(AGENTS))
    page = _page(number)
    return Configure(
        workspace=WORKSPACE,
        desk=_desk(number),
        actor="cli:bench",
        idempotency_key="roster",
        agents=tuple(Agent(id=id_, name=id_) for id_ in ids),
        departments=(),
        pages=(Page(id=page, name=page, admins=ids[:1]),),
        rules=(Rule(id="all", name="All", owner=ids[0], pages=(page,), agents=ids),),
    )


def _routes(desks: int, commands: int) -> Iterator[Command]:
    for number in range(commands):
        page = _page(number % desks)
        key = f"{page}:u{number}"
        yield Route(
            workspace=WORKSPACE,
            desk=_desk(number % desks),
            conversation=conversation_id(key),
            key=key,
            position=1,
            session=1,
            page=page,
            channel="zalo",
            opens_session=True,
        )


def _desk(number: int) -> str:
    return f"d{number}"


def _page(number: int) -> str:
    return f"zalo:{number}"
