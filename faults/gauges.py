"""What workers use while a long run lasts: memory, descriptors, sessions. It must not go on growing."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import orjson

from faults.fleet import Worker
from faults.ground import Ground
from faults.outcome import outcome

LOOK_S = 5.0
LASTING_S = 600.0
"""Of a shorter life nothing is said: caches fill, and connections are still being made."""
FLAT = 1.25
"""So many times what is usual in a life's second third may be usual in its last."""
_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'tongdai %'"


class Gauges:
    """Looks at every worker, however often it is started again, until cancelled."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.seen: defaultdict[str, list[float]] = defaultdict(list)
        """By a worker's life and what is looked at: MiB, descriptors; and all sessions together."""

    async def watch(self) -> None:
        """Look again and again."""
        while True:
            for worker in self._ground.fleet.workers.values():
                self._look_at(worker)
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                self.seen["sessions"].append(await self._ground.value(_SESSIONS))
            await asyncio.sleep(LOOK_S)

    def checks(self) -> list[dict[str, Any]]:
        """What must hold of a long run, as the checker says it; nothing of a short one."""
        (self._ground.folder / "gauges.json").write_bytes(orjson.dumps(self.seen))
        spared = [_life(worker) for worker in self._ground.fleet.workers.values() if worker.spared]
        return judged(self.seen, spared)

    def _look_at(self, worker: Worker) -> None:
        if not worker.alive:
            return
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, StopIteration):
            status = Path(f"/proc/{worker.pid}/status").read_text().splitlines()
            kib = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
            self.seen[f"{_life(worker)} MiB"].append(kib / 1024)
            descriptors = len(list(Path(f"/proc/{worker.pid}/fd").iterdir()))
            self.seen[f"{_life(worker)} descriptors"].append(descriptors)


def judged(seen: Mapping[str, Sequence[float]], spared: Sequence[str]) -> list[dict[str, Any]]:
    """What holds of each life that lasted; nothing where none did. Whom faults spared must have lasted."""
    grown = {name: growth(values) for name, values in seen.items() if len(values) * LOOK_S >= LASTING_S}
    if not grown:
        return []
    wrong = [f"{name} grew {by:.2f} times" for name, by in grown.items() if by > FLAT]
    wrong += [f"{life} was spared, and has not lasted" for life in spared if f"{life} MiB" not in grown]
    title = "memory, descriptors and sessions do not go on growing"
    return [outcome(9, title, len(grown), wrong, most=round(max(grown.values()), 2))]


def _life(worker: Worker) -> str:
    """Names a worker from one start to the next: what a killed one used is not its successor's."""
    return f"{worker.name} ({worker.pid})"


def growth(values: Sequence[float]) -> float:
    """How many times the median of the second third the median of the last third is.

    The highest would tell what came at once after a fault, not what stays.
    """
    third = len(values) // 3
    if not third:
        return 1.0
    return median(values[-third:]) / max(1.0, median(values[third : 2 * third]))
