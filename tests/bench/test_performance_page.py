"""docs/performance.md says beside its tables what they say."""

from __future__ import annotations

from tests.bench.measured import MEASURED, cells, number

_, BARE_P50, _, BARE_P99, _ = cells("latency", "two bare hops")
_, HELD_P50, _, HELD_P99, _ = cells("latency", "message of a held conversation (two hops)")


def test_how_far_latency_is_from_its_goal() -> None:
    p50, p99 = number(HELD_P50) / number(BARE_P50), number(HELD_P99) / number(BARE_P99)
    assert f"It is {p50:.2f} and {p99:.2f} times." in MEASURED
