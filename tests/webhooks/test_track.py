"""What waits for one endpoint of one partition: no gap, no double, no more than there is room for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Kind
from workers.outside.retry_after import RETRY_AFTER_MAX_S
from workers.webhooks.event import RECORD_OVERHEAD_BYTES, Event, Place
from workers.webhooks.track import BYTES_MAX, Failing, Track

PLACE = Place("assignments", 0)
KIND = Kind("assignments", "assigned")


def event(offset: int, size: int = 10) -> Event:
    return Event("shop", KIND, str(offset), offset, 0, b"x" * size)


@st.composite
def stretches(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Stretches of a log of 60 records, in any order, doubled, with gaps; then all of it, again and again."""
    some = draw(st.lists(st.tuples(st.integers(0, 59), st.integers(1, 20)), max_size=20))
    return [(first, min(60, first + length)) for first, length in some]


@given(stretches(), st.sets(st.integers(0, 59)), st.data())
def test_every_wanted_event_is_told_once_in_order_however_the_log_is_read(
    some: list[tuple[int, int]], wanted: set[int], data: st.DataObject
) -> None:
    sizes = {
        offset: data.draw(st.sampled_from((10, 100_000, 400_000)), label=str(offset)) for offset in wanted
    }
    track, told = Track(PLACE, 0), []

    def take(first: int, next_: int, room: int) -> None:
        found = [event(offset, sizes[offset]) for offset in range(first, next_) if offset in wanted]
        taken = track.take(first, next_, found, room)
        alone = taken == track.size and len(track.waiting) == 1
        assert taken <= room or alone
        assert track.size <= BYTES_MAX or len(track.waiting) == 1
        assert track.size == sum(one.size for one in track.waiting)
        assert track.position <= track.read_to

    for first, next_ in some:
        take(first, next_, data.draw(st.sampled_from((0, 1_000, 10**9))))
        is_telling: bool = data.draw(st.booleans())
        if track.waiting and is_telling:
            told.append(track.told().offset)
    while track.read_to < 60 or track.waiting:
        take(track.read_to, 60, 0)
        while track.waiting:
            told.append(track.told().offset)
    assert told == sorted(wanted)
    assert (track.position, track.size) == (60, 0)


NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
DAY = timedelta(days=1)


def test_nobody_waits_longer_than_was_decided_wherever_the_clock_jumps() -> None:
    failing = Failing()
    assert failing.wait_s(NOW) == 0.0
    failing.fail(NOW)
    failing.retry(NOW, 60.0)
    assert [failing.wait_s(NOW + one) for one in (timedelta(seconds=20), DAY, -DAY)] == [40.0, 0.0, 60.0]
    stored = Failing(failing.failures, failing.since, failing.retry_at)
    assert [stored.wait_s(NOW + one) for one in (timedelta(seconds=20), -3 * DAY)] == [
        40.0,
        RETRY_AFTER_MAX_S,
    ]


def test_what_does_not_join_on_is_left() -> None:
    track = Track(PLACE, 5)
    assert track.take(6, 10, [event(7)], 10**6) == 0
    assert track.take(3, 7, [event(3), event(5), event(6)], 10**6) == 2 * (10 + RECORD_OVERHEAD_BYTES)
    assert (track.position, track.read_to) == (5, 7)
