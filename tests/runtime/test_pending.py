"""Events come back from the rows of `pending` as they were put there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workers.runtime.batch import Event
from workers.runtime.pending import pack, unpack

HEADERS = st.lists(st.tuples(st.text(), st.binary()))
EVENTS = st.builds(
    Event,
    topic=st.text(),
    partition=st.none() | st.integers(0, 2**31 - 1),
    key=st.binary(),
    value=st.binary(),
    headers=HEADERS,
    no_key=st.just(value=False),
    no_value=st.just(value=False),
) | st.builds(
    Event,
    topic=st.text(),
    partition=st.none(),
    key=st.just(b""),
    value=st.just(b""),
    headers=HEADERS,
    no_key=st.booleans(),
    no_value=st.booleans(),
)


@given(st.lists(EVENTS))
def test_what_is_unpacked_is_what_was_packed(events: list[Event]) -> None:
    assert unpack(pack(events)) == events


@given(st.lists(EVENTS))
def test_the_same_events_are_the_same_bytes(events: list[Event]) -> None:
    assert pack(unpack(pack(events))) == pack(events)


def test_no_events_are_unpacked_as_none() -> None:
    assert unpack(pack([])) == []


def test_an_event_of_the_largest_size_comes_back() -> None:
    event = Event("messages", None, b"k", bytes(1_048_576), [("ce_id", b"1")])
    assert unpack(pack([event] * 3)) == [event] * 3


def test_a_header_without_a_value_comes_back() -> None:
    event = Event("deadletter", None, b"k", b"v", [("empty", None)])  # type: ignore[list-item]
    assert unpack(pack([event])) == [event]
