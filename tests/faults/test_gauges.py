"""What lasts is flat when its last third needs no more than the one before."""

from __future__ import annotations

import pytest

from faults.gauges import FLAT, LASTING_S, LOOK_S, growth, judged

LOOKS = int(LASTING_S / LOOK_S)
LEAK = [float(look) for look in range(1, LOOKS + 1)]


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


def test_a_life_too_short_to_tell_is_not_judged() -> None:
    assert judged({"routing-1 (7) MiB": LEAK[:-1], "routing-1 (8) MiB": LEAK[:-1]}, spared=[]) == []


def test_growth_is_wrong_in_a_life_that_lasted() -> None:
    (check,) = judged({"routing-1 (7) MiB": LEAK, "sessions": [20.0] * LOOKS}, spared=[])
    assert (check["holds"], check["checked"]) == (False, 2)
    assert check["witness"].startswith("routing-1 (7) MiB grew")


def test_whom_the_faults_spared_must_have_lasted() -> None:
    seen = {"routing-3 (9) MiB": [90.0] * LOOKS, "notifier-3 (5) MiB": [90.0], "sessions": [20.0] * LOOKS}
    (check,) = judged(seen, spared=["routing-3 (9)", "notifier-3 (5)"])
    assert check["witness"] == "notifier-3 (5) was spared, and has not lasted"
    (check,) = judged(seen, spared=["routing-3 (9)"])
    assert check["holds"]
