"""Whether a change made something slower: pairs of ours and of what it is held against, in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.arena import DATA_DIR, Arena, open_arena
from bench.checkout import checked_out
from bench.contestants import BARE, OURS
from bench.desk_rows import keep
from bench.desk_work import draining
from bench.machine import Machine
from bench.program import PROJECT
from bench.race import Backlog, Run, race
from bench.ratios import Judged, Spread, judge
from bench.record import Record, read_record
from config.settings import Settings
from workers.runtime.garbage import collect_seldom

AGENTS = 12
"""Of the one desk."""
NO_LIMIT_S = 600.0

Tell = Callable[[str], None]
Ratios = dict[str, float]


@dataclass(frozen=True)
class ComparePlan:
    """So many pairs over a backlog of so many messages."""

    pairs: int
    messages: int
    tolerance: float
    """By how much a median may be worse: 0.05 is a twentieth."""


@dataclass(frozen=True)
class Comparison:
    """What was found, beside what had been recorded."""

    plan: ComparePlan
    found: dict[str, Spread]
    recorded: Record | None
    machine: Machine

    @property
    def judged(self) -> list[Judged]:
        """What to say of each ratio."""
        before = {} if self.recorded is None else self.recorded.spreads()
        return list(judge(before, self.found, self.plan.tolerance))

    @property
    def slower(self) -> list[Judged]:
        """Those that became worse."""
        return [one for one in self.judged if one.verdict == "slower"]

    def record(self) -> Record:
        """What was found, as the next comparison needs it."""
        pairs = {name: spread.pairs for name, spread in self.found.items()}
        return Record(
            ratios=pairs,
            machine=self.machine,
            commit=checked_out(PROJECT),
            at=datetime.now(UTC),
            messages=self.plan.messages,
        )

    def report(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "ratios": [
                {"name": one.name, "verdict": one.verdict, "change": one.change, "pairs": one.found.pairs}
                for one in self.judged
            ],
            "recorded": None if self.recorded is None else self.recorded.model_dump(mode="json"),
            "machine": asdict(self.machine),
            "plan": asdict(self.plan),
        }


async def measure(settings: Settings, plan: ComparePlan, tell: Tell, data_dir: Path = DATA_DIR) -> Comparison:
    """Run all pairs; `tell` hears a line after each. Raises BenchError, DependencyError."""
    recorded = read_record()
    collect_seldom()  # as a worker does
    pairs: list[Ratios] = []
    async with open_arena(settings, data_dir) as arena:
        backlog = Backlog(plan.messages, NO_LIMIT_S)
        for number in range(plan.pairs):
            ratios = await _routing(arena, backlog, ours_first=number % 2 == 1) | await _desk(arena)
            pairs.append(ratios)
            told = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
            tell(f"pair {number + 1}: {told}")
    found = {name: Spread(tuple(round(ratios[name], 4) for ratios in pairs)) for name in pairs[0]}
    return Comparison(plan, found, recorded, arena.machine)


async def _routing(arena: Arena, backlog: Backlog, *, ours_first: bool) -> Ratios:
    """Intake and desk beside the bare pipeline: time, and processor time of either and of Postgres."""
    runs: dict[str, Run] = {}
    for contestant in (OURS, BARE) if ours_first else (BARE, OURS):
        async with arena.course() as course:
            runs[contestant.name] = await race(course, contestant, backlog)
    ours, bare = runs[OURS.name], runs[BARE.name]
    ratios = {
        "routing: time": bare.messages_per_s / ours.messages_per_s,
        "routing: own processor": ours.cpu_us_per_message / bare.cpu_us_per_message,
    }
    ours_us, bare_us = ours.us_per_message["postgres"], bare.us_per_message["postgres"]
    if ours_us is not None and bare_us:
        ratios["routing: Postgres"] = ours_us / bare_us
    return ratios


async def _desk(arena: Arena) -> Ratios:
    """Assignments decided and kept, beside the bare statements."""
    async with arena.course() as course:
        kept = await keep(course.connection, draining(AGENTS))
    return {"desk: time": kept.ours_s / kept.bare_s}
