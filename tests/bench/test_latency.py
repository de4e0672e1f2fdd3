"""Latencies are measured end to end, on both teams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from bench.arena import Course
from bench.arrivals import Way
from bench.latency import BARE, LatencyPlan, run_once
from bench.scale import programs as ours

PLAN = LatencyPlan(rate=50.0, seconds=2.0, warm_up_s=0.5)

pytestmark = pytest.mark.servers


@pytest.mark.parametrize(
    ("programs", "ways", "kinds"),
    [(BARE, {"bare"}, []), (ours(2), {"held", "new"}, ["desk", "intake", "notifier"])],
    ids=["bare", "ours, two routing workers"],
)
async def test_every_message_arrives_once_and_is_timed(
    course: Course, programs: Mapping[str, Sequence[str]], ways: set[Way], kinds: list[str]
) -> None:
    found, stages, cpu_s = await run_once(course, PLAN, programs)

    assert set(found) == ways
    assert sum(map(len, found.values())) >= 0.9 * PLAN.rate * PLAN.seconds
    assert all(latency_ms > 0 for latencies_ms in found.values() for latency_ms in latencies_ms)
    assert [stage.kind for stage in stages] == kinds
    assert set(cpu_s) == set(programs)
    assert all(taken_s > 0 for taken_s in cpu_s.values())
