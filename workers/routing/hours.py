"""Business hours: whether they are open at a moment of the log, and when they open next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import chain
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.definitions import Hours, Stretch, Weekday

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)
SEARCHED_DAYS = 8
"""Beyond the holidays, every opening comes again within a week."""


def are_open(hours: Hours, at: datetime) -> bool:
    """Whether business is open at `at`.

    Nothing is open on a holiday, and what would begin on one does not take place: neither its part after
    midnight.
    """
    here = at.astimezone(_zone(hours.time_zone))
    if here.date() in hours.holidays:
        return False
    return any(
        stretch_begins <= here.replace(tzinfo=None) < stretch_ends
        for day in (here.date() - DAY, here.date())
        for stretch_begins, stretch_ends in _on(hours, day)
    )


def open_next(hours: Hours, at: datetime) -> datetime | None:
    """When a stretch begins next, after `at`; none: never again within a week beyond its holidays."""
    zone = _zone(hours.time_zone)
    here = at.astimezone(zone).date()
    coming = (begins.replace(tzinfo=zone) for day in _days(hours, here) for begins, _ in _on(hours, day))
    later = (begins.astimezone(UTC) for begins in coming)
    return min((begins for begins in later if begins > at), default=None)


def is_time_zone(name: str) -> bool:
    """Whether `name` is a time zone of the IANA database."""
    try:
        _zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _days(hours: Hours, first: date) -> Iterator[date]:
    """The days on which the next stretch can begin: a week, and the week after every coming holiday."""
    starts = (first, *(holiday for holiday in hours.holidays if holiday > first))
    spans = (range(start.toordinal(), start.toordinal() + SEARCHED_DAYS) for start in starts)
    return (date.fromordinal(ordinal) for ordinal in sorted(set(chain(*spans))))


def _on(hours: Hours, day: date) -> Iterator[tuple[datetime, datetime]]:
    """The stretches that begin on `day`, in local time; one that ends when it begins lasts a whole day."""
    if day in hours.holidays:
        return
    weekday = WEEKDAYS[day.weekday()]
    for stretch in hours.stretches:
        if weekday in stretch.days:
            yield _span(stretch, day)


def _span(stretch: Stretch, day: date) -> tuple[datetime, datetime]:
    last = day if stretch.ends > stretch.begins else day + DAY
    return datetime.combine(day, stretch.begins), datetime.combine(last, stretch.ends)


@lru_cache(maxsize=100)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
