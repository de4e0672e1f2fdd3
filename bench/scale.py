"""The same traffic, taken by one routing worker and by several, over few lanes and many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench.arena import DATA_DIR, Arena, open_arena
from bench.arrivals import Way
from bench.latency import OURS, LatencyPlan, Taken, run_once
from bench.machine import Machine
from bench.percentiles import Percentiles
from bench.stages import Stage
from bench.throughput import Tell
from bench.workload import SEED
from config.settings import Settings

ROUTING, NOTIFIER = "routing", "notifier"
WAYS: tuple[Way, Way] = ("held", "new")


@dataclass(frozen=True)
class ScalePlan:
    """Each number of routing workers over each number of conversations' partitions, with one notifier."""

    workers: Sequence[int]
    partitions: Sequence[int]
    traffic: LatencyPlan


@dataclass(frozen=True)
class Scaled:
    """One run: so many workers over so many partitions, and what it took."""

    workers: int
    partitions: int
    taken: Taken

    @property
    def messages(self) -> int:
        """That arrived while it was measured."""
        return sum(map(len, self.taken.latencies_ms.values()))

    def cpu_s_per_million(self, worker: str) -> float:
        """Processor seconds of all workers of this name together, for a million messages."""
        used_s = sum(cpu_s for name, cpu_s in self.taken.cpu_s.items() if name.startswith(worker))
        return used_s / self.messages * 1e6

    def percentiles(self, way: Way) -> Percentiles:
        """Of the latencies of one way. Raises BenchError when nothing came by it."""
        return Percentiles.of(self.taken.latencies_ms[way])

    def stage(self, kind: str) -> Stage:
        """What a batch of this kind of lane was like."""
        return next(stage for stage in self.taken.stages if stage.kind == kind)


@dataclass(frozen=True)
class Scale:
    """All runs, in order."""

    plan: ScalePlan
    runs: list[Scaled]
    machine: Machine

    def report(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "runs": [_report(run) for run in self.runs],
            "machine": asdict(self.machine),
            "workload": asdict(self.plan.traffic) | {"seed": SEED},
        }


def _report(run: Scaled) -> dict[str, Any]:
    return {
        "workers": run.workers,
        "partitions": run.partitions,
        "cpu_s_per_million": {name: round(run.cpu_s_per_million(name), 1) for name in (ROUTING, NOTIFIER)},
        "latency_ms": {way: asdict(run.percentiles(way)) for way in WAYS},
        "stages": [asdict(stage) for stage in run.taken.stages],
    }


async def measure(settings: Settings, plan: ScalePlan, tell: Tell, data_dir: Path = DATA_DIR) -> Scale:
    """Run all of it, one after the other. Raises BenchError, DependencyError."""
    runs = []
    async with open_arena(settings, data_dir) as arena:
        for partitions in plan.partitions:
            for workers in plan.workers:
                async with _split(arena, partitions).course() as course:
                    taken = await run_once(course, plan.traffic, programs(workers))
                runs.append(run := Scaled(workers, partitions, taken))
                tell(
                    f"{workers} over {partitions}: {run.cpu_s_per_million(ROUTING):,.0f} s a million messages"
                )
    return Scale(plan, runs, arena.machine)


def programs(workers: int) -> Mapping[str, Sequence[str]]:
    """So many routing workers, and a notifier."""
    return dict(_numbered(workers)) | {NOTIFIER: OURS[NOTIFIER]}


def _numbered(workers: int) -> Iterator[tuple[str, Sequence[str]]]:
    return ((f"{ROUTING}-{number}", OURS[ROUTING]) for number in range(1, workers + 1))


def _split(arena: Arena, partitions: int) -> Arena:
    """The same servers, for topics with other numbers of partitions: half as many of desks."""
    kafka = arena.settings.kafka.model_copy(
        update={"conversation_partitions": partitions, "desk_partitions": max(1, partitions // 2)}
    )
    return replace(arena, settings=arena.settings.model_copy(update={"kafka": kafka}))
