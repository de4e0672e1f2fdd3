"""A check says that something holds, does not, or that there was nothing to look at."""

from __future__ import annotations

import pytest

from checker.report import Report, Tally


def a_tally(checked: int, violations: int = 0) -> Tally:
    tally = Tally(4, "the tables agree")
    tally.checked = checked
    for number in range(violations):
        tally.fail((number,), f"row {number}")
    return tally


@pytest.mark.parametrize(
    ("checked", "violations", "holds", "begins"),
    [(3, 0, True, "ok  "), (3, 1, False, "FAIL"), (0, 1, False, "FAIL"), (0, 0, None, "?   ")],
)
def test_a_check_that_looked_at_nothing_says_nothing(
    checked: int, violations: int, holds: bool | None, begins: str
) -> None:
    tally = a_tally(checked, violations)
    assert tally.holds is tally.as_json()["holds"] is holds
    assert tally.as_text().startswith(begins)


@pytest.mark.parametrize(
    ("tallies", "holds", "unknown", "verdict"),
    [
        ([a_tally(3)], True, 0, "everything holds ("),
        ([a_tally(3), a_tally(0)], True, 1, "everything holds; of 1 checks nothing is known"),
        ([a_tally(3), a_tally(0), a_tally(3, 1)], False, 1, "VIOLATED ("),
        ([a_tally(0)], None, 1, "nothing to look at: nothing is known ("),
    ],
    ids=["all", "but one", "violated", "nothing"],
)
def test_a_report_holds_by_what_was_looked_at(
    tallies: list[Tally], holds: bool | None, unknown: int, verdict: str
) -> None:
    report = Report(tallies, {}, 1.0)
    assert (report.holds, report.unknown) == (holds, unknown)
    assert report.as_text().splitlines()[-1].startswith(verdict)
