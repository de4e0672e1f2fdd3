"""Whether a worker complains while nothing happens to it: once all is as before, until the next fault begins.

A line at level error of our own must not stand there at all. A library may complain of what a fault has left
it with, such as a request on a connection that was forgotten, for as long as such a request may take.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from faults.outcome import outcome
from faults.result import Line

OURS = "workers"
LATE_S = 60.0
"""A request to Kafka or Postgres has ended by then, however its connection was treated."""
_LEVELS = (b'"level":"error"', b'"level":"critical"')
_RESTORED = ("recovered", "drained")


class Calm(NamedTuple):
    """From when to when nothing happened, in seconds since 1970."""

    begin_s: float
    end_s: float


def check_calm(folder: Path, lines: Sequence[Line]) -> dict[str, Any]:
    """What must hold of the workers' logs in a run's folder; `lines` are of its history."""
    calms = list(calms_of(lines))
    wrong = [
        f"{log.stem}: {line['event']} ({line['logger']}), at {line['timestamp']}"
        for log in sorted(folder.glob("*.log"))
        for line in _complaints(log)
        if is_unexplained(line, calms)
    ]
    return outcome(9, "nobody logs an error while nothing happens", len(calms), wrong)


def calms_of(lines: Iterable[Line]) -> Iterator[Calm]:
    """Between the end of each recovery and the next fault, or the beginning of the end."""
    zero_s, begin_s = 0.0, None
    for line in lines:
        if line["what"] == "phase":
            zero_s = line["clock_ms"] / 1000 - line["at_s"]
        if line["what"] in _RESTORED and begin_s is None and not line["wrong"]:
            begin_s = zero_s + line["at_s"]
        if line["what"] in {"begin_fault", "quiet"} and begin_s is not None:
            yield Calm(begin_s, zero_s + line["at_s"])
            begin_s = None


def is_unexplained(line: Line, calms: Iterable[Calm]) -> bool:
    """Whether nothing that was done explains a complaint."""
    late_s = 0.0 if line["logger"].startswith(OURS) else LATE_S
    at_s = datetime.fromisoformat(line["timestamp"]).timestamp()
    return any(calm.begin_s + late_s <= at_s <= calm.end_s for calm in calms)


def _complaints(log: Path) -> Iterator[Line]:
    with log.open("rb") as file:
        for line in file:
            if any(level in line for level in _LEVELS):
                yield orjson.loads(line)
