"""What a long run uses is flat when its last third needs no more than the one before."""

from __future__ import annotations

import pytest

from faults.gauges import FLAT, growth


@pytest.mark.parametrize(
    ("values", "is_flat"),
    [
        ([10, 60, 90, 90, 91, 90, 92, 90, 91], True),
        ([10, 90, 20, 90, 30, 90, 20, 80, 90], True),
        ([10, 20, 30, 40, 50, 60, 70, 80, 90], False),
        ([0, 0, 0, 0, 0, 0, 9, 9, 0], False),
        ([80, 80, 80, 80, 90, 80, 80, 160, 80], True),
        ([10, 90], True),
    ],
    ids=[
        "filled at first",
        "started again and again",
        "a leak",
        "from nothing",
        "much at once",
        "too few to tell",
    ],
)
def test_growth_tells_a_leak_from_what_fills_at_first(values: list[float], is_flat: bool) -> None:
    assert (growth(values) <= FLAT) == is_flat
