"""Throughput: every contestant drains the same backlog, one after the other, again and again; medians."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.accounts import Accounts
from bench.arena import DATA_DIR, Arena, open_arena
from bench.contestants import OURS, Contestant
from bench.machine import Machine
from bench.race import Backlog, Run, race
from bench.workload import NEW_EVERY, SEED
from config.settings import Settings

WARM_UP_MESSAGES = 20_000

Tell = Callable[[str], None]


@dataclass(frozen=True)
class ThroughputPlan:
    """What to run. A slow contestant is stopped after `limit_s` seconds of work."""

    contestants: Sequence[Contestant]
    messages: int
    rounds: int
    limit_s: float


@dataclass(frozen=True)
class Throughput:
    """The runs of each contestant, one a round."""

    plan: ThroughputPlan
    runs: dict[str, list[Run]]
    machine: Machine

    def messages_per_s(self, name: str) -> float:
        """The median over the rounds."""
        return median(run.messages_per_s for run in self.runs[name])

    def ratio(self, one: str, other: str) -> float:
        """How many times as fast one is: the median of the rounds' ratios, since machines drift."""
        pairs = zip(self.runs[one], self.runs[other], strict=True)
        return median(mine.messages_per_s / its.messages_per_s for mine, its in pairs)

    def us_per_message(self, name: str, share: str) -> float | None:
        """Microseconds that a share of `bench.accounts.Accounts` had, the median; none: nobody knows."""
        found = [run.us_per_message[share] for run in self.runs[name]]
        known = [one for one in found if one is not None]
        return median(known) if len(known) == len(found) else None

    @property
    def compared(self) -> list[str]:
        """Those that ours can be compared with."""
        return [name for name in self.runs if name != OURS.name and OURS.name in self.runs]

    def report(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "runs": {name: self._run_report(name) for name in self.runs},
            "ratios": {f"ours_to_{name}": round(self.ratio(OURS.name, name), 3) for name in self.compared},
            "machine": asdict(self.machine),
            "workload": {
                "messages": self.plan.messages,
                "rounds": self.plan.rounds,
                "new_conversation_every": NEW_EVERY,
                "seed": SEED,
            },
        }

    def _run_report(self, name: str) -> dict[str, Any]:
        runs = self.runs[name]
        return {
            "messages_per_s": round(self.messages_per_s(name), 1),
            "messages_per_s_of_rounds": [round(run.messages_per_s, 1) for run in runs],
            "messages": min(run.messages for run in runs),
            "us_per_message": {share: self._us(name, share) for share in Accounts._fields},
            "peak_rss_mib": max(run.peak_rss_mib for run in runs),
        }

    def _us(self, name: str, share: str) -> float | None:
        found = self.us_per_message(name, share)
        return None if found is None else round(found, 1)


async def measure(
    settings: Settings, plan: ThroughputPlan, tell: Tell, data_dir: Path = DATA_DIR
) -> Throughput:
    """Run all rounds; `tell` hears a line after each run. Raises BenchError, DependencyError."""
    for contestant in plan.contestants:
        if contestant.prepare is not None:
            await asyncio.to_thread(contestant.prepare, settings)
    runs: dict[str, list[Run]] = {contestant.name: [] for contestant in plan.contestants}
    backlog = Backlog(plan.messages, plan.limit_s)
    async with open_arena(settings, data_dir) as arena:
        await _warm_up(arena, plan)
        for number in range(plan.rounds):
            for contestant in plan.contestants:
                async with arena.course() as course:
                    run = await race(course, contestant, backlog)
                runs[contestant.name].append(run)
                tell(f"round {number + 1}: {contestant.label}: {run.messages_per_s:,.0f} messages/s")
    return Throughput(plan, runs, arena.machine)


async def _warm_up(arena: Arena, plan: ThroughputPlan) -> None:
    """A run that does not count: servers that have just started are slower than they will be."""
    async with arena.course() as course:
        backlog = Backlog(min(plan.messages, WARM_UP_MESSAGES), plan.limit_s)
        await race(course, plan.contestants[0], backlog)
