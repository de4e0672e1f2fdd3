"""Busy days of the real desk pass every check of the desk, and each fault planted in one is caught."""

from __future__ import annotations

import pytest

from tests.checker.busy_desk import a_day
from tests.checker.desk_plants import CASES
from tests.checker.histories import faults
from tests.checker.plants import Fault

DAYS = range(3)
PLANTED = 0
"""The seed of a day on which everything happens that the faults need."""


@pytest.mark.parametrize("seed", DAYS)
def test_whatever_the_desk_decides_passes(seed: int) -> None:
    assert faults(a_day(seed)) == {}


def test_a_day_gives_every_check_of_the_desk_something_to_look_at() -> None:
    tallies = [tally for tally in a_day(PLANTED).check().tallies if tally.invariant in {3, 5, 6, 7}]
    assert [tally.title for tally in tallies if not tally.checked] == []


@pytest.mark.parametrize(("fault", "title"), CASES.values(), ids=CASES)
def test_a_fault_planted_in_a_day_is_caught(fault: Fault, title: str) -> None:
    planted = a_day(PLANTED)
    fault(planted)
    found = faults(planted)
    assert [witness for name, witness in found.items() if name.startswith(title)], found
