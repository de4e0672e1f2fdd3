"""What follows from an attempt: only 2xx counts, waits grow and are spread, what was asked for is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.retry import Retry
from workers.outside.back_off import back_off_s
from workers.outside.retry_after import RETRY_AFTER_MAX_S
from workers.webhooks.verdict import (
    Answer,
    Delivered,
    GivenUp,
    Gone,
    Later,
    Verdict,
    decide,
    is_of_the_whole,
)

DAYS_3_S = 3 * 24 * 3600.0
RETRY = Retry(5.0, 3_600.0)


def judged(
    status: int | None, *, failures: int = 1, failing_s: float = 0.0, retry_after_s: float | None = None
) -> Verdict:
    error = None if status is not None and 200 <= status < 300 else "it was refused"
    answer = Answer(status, error, retry_after_s, 1)
    return decide(answer, failures, failing_s, 0.5, retry=RETRY, give_up_s=DAYS_3_S)


@pytest.mark.parametrize("status", [None, *range(100, 600)])
def test_every_status(status: int | None) -> None:
    verdict = judged(status)
    if status is not None and 200 <= status < 300:
        assert verdict == Delivered()
    elif status == 410:
        assert verdict == Gone()
    else:
        assert isinstance(verdict, Later)


@pytest.mark.parametrize("status", [None, 429, 502, 503, 504])
def test_what_speaks_of_the_receiver_holds_everything_back(status: int | None) -> None:
    assert is_of_the_whole(Answer(status, "no", None, 1))


@pytest.mark.parametrize("status", [301, 302, 400, 401, 404, 413, 422, 500])
def test_what_may_speak_of_the_event_holds_its_partition_back(status: int) -> None:
    assert not is_of_the_whole(Answer(status, "no", None, 1))


def test_after_three_days_it_is_given_up_and_not_before() -> None:
    assert isinstance(judged(500, failures=80, failing_s=DAYS_3_S - 1), Later)
    assert judged(500, failures=80, failing_s=DAYS_3_S) == GivenUp()
    assert judged(410, failing_s=DAYS_3_S) == Gone()


@given(
    st.integers(1, 10_000), st.floats(0, 1), st.builds(Retry, st.floats(0.01, 100), st.floats(100, 86_400))
)
def test_waits_grow_up_to_their_limit_and_are_spread(failures: int, spread: float, retry: Retry) -> None:
    wait_s = back_off_s(failures, retry, spread)
    assert retry.first_s / 2 <= wait_s <= retry.last_s
    assert back_off_s(failures, retry, 0.0) <= wait_s <= back_off_s(failures, retry, 1.0)
    assert back_off_s(failures + 1, retry, spread) >= wait_s


def test_it_is_tried_some_eighty_to_hundred_and_fifty_times_in_three_days() -> None:
    for spread, tries in ((0.0, 154), (1.0, 82)):
        passed_s, failures = 0.0, 1
        while passed_s < DAYS_3_S:
            passed_s += back_off_s(failures, RETRY, spread)
            failures += 1
        assert failures == tries


@given(st.floats(0, 10 * RETRY_AFTER_MAX_S))
def test_whoever_asks_for_time_gets_it_up_to_a_day(asked_s: float) -> None:
    verdict = judged(503, retry_after_s=asked_s)
    assert isinstance(verdict, Later)
    assert verdict.wait_s == max(back_off_s(1, RETRY, 0.5), min(asked_s, RETRY_AFTER_MAX_S))
