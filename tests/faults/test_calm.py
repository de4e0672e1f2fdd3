"""A worker complains of what happens to it, and of nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from faults.calm import LATE_S, Calm, calms_of, check_calm

ZERO_S = 1_795_000_000.0
"""When the runs of these tests began."""
HISTORY: list[dict[str, Any]] = [
    {"what": "phase", "at_s": 10.0, "clock_ms": (ZERO_S + 10) * 1000},
    {"what": "begin_fault", "at_s": 12.0},
    {"what": "recovered", "at_s": 30.0, "wrong": ""},
    {"what": "begin_fault", "at_s": 40.0},
    {"what": "recovered", "at_s": 100.0, "wrong": "behind"},
    {"what": "begin_fault", "at_s": 110.0},
    {"what": "drained", "at_s": 130.0, "wrong": ""},
    {"what": "quiet", "at_s": 330.0},
]


def written(folder: Path, at_s: float, logger: str, level: str = "error") -> Path:
    """A folder in which a worker has said something, so long after the run began."""
    timestamp = datetime.fromtimestamp(ZERO_S + at_s, UTC).isoformat()
    line = {"event": "failed", "level": level, "logger": logger, "timestamp": timestamp}
    (folder / "routing-1.log").write_bytes(b"no JSON\n" + orjson.dumps(line) + b"\n")
    return folder


def test_nothing_happens_from_the_end_of_a_recovery_to_the_next_fault() -> None:
    assert list(calms_of(HISTORY)) == [Calm(ZERO_S + 30, ZERO_S + 40), Calm(ZERO_S + 130, ZERO_S + 330)]


@pytest.mark.parametrize(
    ("at_s", "logger", "level", "holds"),
    [
        (35.0, "workers.runtime.term", "error", False),
        (35.0, "workers.runtime.term", "critical", False),
        (35.0, "workers.runtime.term", "warning", True),
        (20.0, "workers.runtime.term", "error", True),
        (105.0, "workers.runtime.term", "error", True),
        (140.0, "aiokafka.consumer", "error", True),
        (130.0 + LATE_S + 1, "aiokafka.consumer", "error", False),
    ],
    ids=["ours", "worse", "a warning", "amidst it", "never recovered", "a library's", "too late"],
)
def test_an_error_must_have_come_of_a_fault(
    tmp_path: Path, at_s: float, logger: str, level: str, holds: bool
) -> None:
    found = check_calm(written(tmp_path, at_s, logger, level), HISTORY)
    assert (found["holds"], found["checked"]) == (holds, 2)
