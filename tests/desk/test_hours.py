"""Business hours: open and closed, over midnight, on holidays, in other time zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import given
from pydantic import ValidationError

from schemas.definitions import Hours, Stretch
from workers.routing.hours import WEEKDAYS, are_open, open_next

SAIGON = ZoneInfo("Asia/Ho_Chi_Minh")
OFFICE = Stretch(days=("mon", "tue", "wed", "thu", "fri"), begins=time(8), ends=time(17, 30))
NIGHT = Stretch(days=("fri",), begins=time(22), ends=time(2))
# 2026-11-23 is a Monday.


def saigon(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=SAIGON).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        (saigon(23, 7, 59), False),
        (saigon(23, 8), True),
        (saigon(23, 17, 29), True),
        (saigon(23, 17, 30), False),
        (saigon(28, 10), False),  # a Saturday
        (datetime(2026, 11, 23, 1, tzinfo=UTC), True),  # the log's time is in UTC
    ],
)
def test_hours_are_of_their_time_zone(at: datetime, open_: bool) -> None:
    assert are_open(Hours(stretches=(OFFICE,)), at) == open_


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        (saigon(27, 21, 59), False),
        (saigon(27, 22), True),
        (saigon(28, 1, 59), True),
        (saigon(28, 2), False),
        (saigon(27, 1), False),  # Thursday's night is not Friday's
    ],
)
def test_a_stretch_goes_on_after_midnight(at: datetime, open_: bool) -> None:
    assert are_open(Hours(stretches=(NIGHT,)), at) == open_


def test_nothing_is_open_on_a_holiday_and_nothing_begins_on_one() -> None:
    eve = Hours(stretches=(NIGHT,), holidays=(date(2026, 11, 28),))
    assert are_open(eve, saigon(27, 23))
    assert not are_open(eve, saigon(28, 1))
    day = Hours(stretches=(NIGHT,), holidays=(date(2026, 11, 27),))
    assert not are_open(day, saigon(27, 23))
    assert not are_open(day, saigon(28, 1))


def test_what_ends_when_it_begins_lasts_a_day() -> None:
    hours = Hours(stretches=(Stretch(days=("mon",), begins=time(8), ends=time(8)),))
    assert are_open(hours, saigon(24, 7, 59))
    assert not are_open(hours, saigon(24, 8))


@pytest.mark.parametrize("begins", ["08:00Z", "08:00+07:00"])
def test_a_time_of_day_is_of_the_time_zone_of_its_hours(begins: str) -> None:
    with pytest.raises(ValidationError, match="time_zone"):
        Stretch.model_validate({"days": ["mon"], "begins": begins, "ends": "17:00"})


def test_the_next_opening_skips_holidays() -> None:
    hours = Hours(stretches=(OFFICE,), holidays=(date(2026, 11, 23), date(2026, 11, 24)))
    assert open_next(hours, saigon(20, 18)) == saigon(25, 8)
    assert open_next(hours, saigon(25, 8)) == saigon(26, 8)


def test_a_week_of_holidays_is_got_over() -> None:
    holidays = tuple(date(2026, 11, 16) + timedelta(days=day) for day in range(21))
    assert open_next(Hours(stretches=(NIGHT,), holidays=holidays), saigon(14, 3)) == datetime(
        2026, 12, 11, 15, tzinfo=UTC
    )


stretches = st.builds(
    Stretch,
    days=st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True).map(tuple),
    begins=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    ends=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
)


@given(
    st.lists(stretches, min_size=1, max_size=3).map(tuple),
    st.lists(st.dates(date(2026, 11, 20), date(2026, 12, 5)), max_size=4).map(tuple),
    st.datetimes(datetime(2026, 11, 20), datetime(2026, 12, 1)),  # noqa: DTZ001
)
def test_between_now_and_the_next_opening_it_stays_closed(
    stretches_: tuple[Stretch, ...], holidays: tuple[date, ...], naive: datetime
) -> None:
    hours = Hours(stretches=stretches_, holidays=holidays)
    at = naive.replace(tzinfo=UTC)
    opening = open_next(hours, at)
    assert opening is not None
    assert opening > at
    assert are_open(hours, opening)
    if not are_open(hours, at):
        for part in range(40):
            assert not are_open(hours, at + (opening - at) * part / 40)
