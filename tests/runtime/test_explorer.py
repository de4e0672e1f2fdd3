"""Every order of events within the bounds: each batch is stored and published once, in order, at last.

Wider bounds: `python -m tests.runtime.explorer --help`
"""

from __future__ import annotations

import pytest

from tests.runtime.explorer.search import TooManyStatesError, explore
from tests.runtime.explorer.world import NONE, Budget, first

CASES = {
    "nothing": ("rtr", NONE._replace(reassignments=1)),
    "crash": ("rt", NONE._replace(reassignments=1, crashes=1)),
    "freeze": ("rt", NONE._replace(freezes=1)),
    "reassignment and freeze": ("rt", NONE._replace(reassignments=1, freezes=1)),
    "answer of Postgres lost": ("rt", NONE._replace(reassignments=1, postgres=1)),
    "answer of Kafka lost": ("rtr", NONE._replace(reassignments=1, kafka=1)),
    "transaction timed out": ("rtr", NONE._replace(reassignments=1, timeouts=1)),
    "crash and answer of Postgres lost": ("r", NONE._replace(reassignments=1, crashes=1, postgres=1)),
    "crash and answer of Kafka lost": ("r", NONE._replace(reassignments=1, crashes=1, kafka=1)),
    "both answers lost": ("rt", NONE._replace(reassignments=1, postgres=1, kafka=1)),
    "freeze and answer of Kafka lost": ("r", NONE._replace(freezes=1, kafka=1)),
    "two lanes, reassignment": ("r,t", NONE._replace(reassignments=1)),
    "two lanes, crash": ("r,r", NONE._replace(crashes=1)),
    "two lanes, answer of Postgres lost": ("r,r", NONE._replace(postgres=1)),
    "two lanes, answer of Kafka lost": ("r,t", NONE._replace(kafka=1)),
}
"""What there is to do, in each lane, and what happens meanwhile."""


@pytest.mark.parametrize(("units", "budget"), CASES.values(), ids=CASES.keys())
def test_whatever_happens_each_batch_is_published_once_in_order_and_at_last(
    units: str, budget: Budget
) -> None:
    found = explore(first(2, units.split(","), budget))
    print(f"{units} {budget}: {found}")  # noqa: T201  shown by pytest -rP, or when it fails
    assert found.wrong is None, str(found)
    assert found.states > 100


def test_bounds_that_are_too_wide_are_an_error_and_not_a_success() -> None:
    with pytest.raises(TooManyStatesError, match="more than 50 states"):
        explore(first(2, ["rt"], Budget()), limit=50)
