"""One desk: how fast it decides in memory, and how fast its assignments are kept in Postgres."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from bench.arena import DATA_DIR, open_arena
from bench.desk_rows import Kept, keep
from bench.desk_work import Work, draining, place, works
from bench.machine import Machine
from config.settings import Settings
from workers.routing.desk.decide import carry_out
from workers.runtime.garbage import collect_seldom

AGENTS = (12, 1_000)
RUN = 50
"""Commands between two looks at the processor's clock."""

Tell = Callable[[str], None]


class Decided(NamedTuple):
    """Commands decided on and applied in a second of processor time: the median of many short runs, and the
    best of them, since others may use the machine; and the events of one command."""

    agents: int
    name: str
    median_per_s: float
    best_per_s: float
    events: float


@dataclass(frozen=True)
class DeskPlan:
    """What to run: `commands` at most of each kind in memory, the rows as often as there are rounds."""

    commands: int
    rounds: int


@dataclass(frozen=True)
class DeskSpeed:
    """What was found; `kept` by the number of agents, one a round."""

    plan: DeskPlan
    decided: list[Decided]
    kept: dict[int, list[Kept]]
    machine: Machine

    def kept_per_s(self, agents: int) -> float:
        """Assignments a second, decided and written: the median of the rounds."""
        return median(one.assignments / one.ours_s for one in self.kept[agents])

    def bare_per_s(self, agents: int) -> float:
        """The same rows a second with nothing decided."""
        return median(one.assignments / one.bare_s for one in self.kept[agents])

    def own_us(self, agents: int) -> float:
        """Microseconds of the processor for an assignment in our process: the median of the rounds."""
        return median(one.own_cpu_s / one.assignments * 1e6 for one in self.kept[agents])

    def report(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "decided": [one._asdict() for one in self.decided],
            "kept": {
                str(agents): {
                    "assignments_per_s": round(self.kept_per_s(agents), 1),
                    "bare_per_s": round(self.bare_per_s(agents), 1),
                    "own_cpu_us": round(self.own_us(agents), 1),
                    "ratio": round(median(one.bare_s / one.ours_s for one in runs), 3),
                }
                for agents, runs in self.kept.items()
            },
            "machine": asdict(self.machine),
        }


async def measure(settings: Settings, plan: DeskPlan, tell: Tell, data_dir: Path = DATA_DIR) -> DeskSpeed:
    """Run all of it; `tell` hears a line after each run. Raises BenchError, DependencyError."""
    collect_seldom()  # as a worker does
    kept: dict[int, list[Kept]] = {agents: [] for agents in AGENTS}
    decided = [decide_on(work, plan.commands) for agents in AGENTS for work in works(agents)]
    async with open_arena(settings, data_dir) as arena:
        for number in range(plan.rounds):
            for agents in AGENTS:
                async with arena.course() as course:
                    run = await keep(course.connection, draining(agents))
                kept[agents].append(run)
                tell(
                    f"round {number + 1}: {agents} agents: {run.assignments / run.ours_s:,.0f} assignments/s"
                )
    return DeskSpeed(plan, decided, kept, arena.machine)


def decide_on(work: Work, commands: int) -> Decided:
    """Decide on at most so many of the commands of `work`, in memory."""
    events: list[int] = []
    runs = sorted(_per_s(work, commands, events))
    return Decided(work.agents, work.name, median(runs), runs[-1], sum(events) / len(events))


def _per_s(work: Work, commands: int, events: list[int]) -> Iterator[float]:
    desk, measured = work.desk(), work.measured[:commands]
    places = [place(len(work.before) + number) for number in range(len(measured))]
    for start in range(0, len(measured) - RUN + 1, RUN):
        pairs: Sequence[Any] = list(zip(measured[start : start + RUN], places[start:], strict=False))
        begun = time.process_time()
        decided = [carry_out(desk, command, place) for command, place in pairs]
        yield RUN / (time.process_time() - begun)
        events += map(len, decided)
