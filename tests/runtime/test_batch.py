"""What a batch emits, refuses and forwards always fits its topic, and is the same on every re-execution."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.topics import DEADLETTER, MAX_MESSAGE_BYTES
from schemas.deadletter import DETAIL_BYTES_MAX
from schemas.envelope import Headers, Kind, header
from workers.runtime.batch import Batch, Event, EventTooLargeError, Record, size_bytes
from workers.runtime.pending import pack, unpack
from workers.runtime.topology import MAX_BYTES

KIND = Kind("messages", "copied")
AT_MS = 1_700_000_000_123


def record(
    value: bytes = b"{}", *, key: bytes = b"zalo:1:2", headers: Headers | None = None, offset: int = 7
) -> Record:
    return Record("inbound", 3, offset, AT_MS, key, value, headers or [("ce_id", b"1")])


def batch(*records: Record) -> Batch:
    return Batch("intake", records, [AT_MS] * len(records), {"inbound": "log"})


def emitted(cause: Record, value: bytes, *, key: bytes = b"zalo:1:2") -> Event:
    made = batch(cause)
    made.emit(cause, KIND, key=key, value=value, at_ms=AT_MS)
    [event] = made.events[cause.lane]
    return event


def rejected(refused: Record, detail: str = "it is not JSON") -> Event:
    made = batch(refused)
    made.reject(refused, "unreadable", detail)
    assert made.rejected == 1
    [event] = made.events[refused.lane]
    assert event.topic == "deadletter"
    return event


def size(event: Event) -> int:
    return size_bytes(event.key, event.value, event.headers)


def test_a_dead_letter_lacks_what_the_refused_record_lacked_and_nothing_that_was_empty() -> None:
    lacking = Record("inbound", 3, 7, AT_MS, b"", b"", [], no_key=True, no_value=True)
    assert [(one.no_key, one.no_value) for one in unpack(pack([rejected(lacking)]))] == [(True, True)]
    empty = Record("inbound", 3, 7, AT_MS, b"", b"", [])
    assert [(one.no_key, one.no_value) for one in unpack(pack([rejected(empty)]))] == [(False, False)]


def test_an_event_tells_what_it_is_about_and_when_and_of_which_lane() -> None:
    event = emitted(record(), b'{"a":1}')
    assert (event.topic, event.partition, event.key, event.value) == (
        "messages",
        None,
        b"zalo:1:2",
        b'{"a":1}',
    )
    assert header(event.headers, "ce_source") == b"tongdai/intake/3"
    assert header(event.headers, "ce_subject") == b"zalo:1:2"
    assert header(event.headers, "ce_time") == b"2023-11-14T22:13:20.123Z"


@given(st.lists(st.integers(0, 3), max_size=12))
def test_ids_are_equal_on_every_execution_and_different_from_each_other(causes: list[int]) -> None:
    def ids() -> list[bytes | None]:
        records = [record(offset=offset) for offset in range(4)]
        made = batch(*records)
        for cause in causes:
            made.emit(records[cause], KIND, key=b"k", value=b"{}", at_ms=AT_MS)
        return [header(event.headers, "ce_id") for event in made.events.get(3, [])]

    assert ids() == ids()
    assert len(set(ids())) == len(causes)


def test_an_id_does_not_depend_on_what_else_is_in_the_batch() -> None:
    alone, others = record(offset=5), record(offset=4)
    together = batch(others, alone)
    for cause in (others, others, alone):
        together.emit(cause, KIND, key=b"k", value=b"{}", at_ms=AT_MS)
    assert header(together.events[3][2].headers, "ce_id") == header(emitted(alone, b"{}").headers, "ce_id")


def test_the_id_of_an_event_is_known_before_it_is_emitted() -> None:
    cause = record()
    assert header(emitted(cause, b"{}").headers, "ce_id") == batch(cause).id_of(cause, 0).encode()
    assert batch(cause).ids_of(cause)(0) == batch(cause).id_of(cause, 0)


def test_an_event_of_the_largest_size_is_emitted_and_one_byte_more_is_an_error() -> None:
    cause = record()
    room = MAX_BYTES["messages"] - size(emitted(cause, b""))
    assert size(emitted(cause, b"x" * room)) == MAX_BYTES["messages"]
    with pytest.raises(EventTooLargeError, match="for messages is larger than its topic takes") as raised:
        emitted(cause, b"x" * (room + 1))
    assert raised.value.cause is cause


def test_an_event_whose_key_makes_it_too_large_is_an_error() -> None:
    with pytest.raises(EventTooLargeError):
        emitted(record(), b"{}", key=b"k" * 600_000)


def test_a_refused_record_keeps_its_key_value_and_headers() -> None:
    refused = record(b"{", headers=[("ce_id", b"1"), ("traceparent", b"00")])
    letter = rejected(refused)
    assert (letter.key, letter.value) == (refused.key, refused.value)
    assert letter.headers[:2] == refused.headers
    assert header(letter.headers, "deadletter_reason") == b"unreadable"
    assert header(letter.headers, "deadletter_offset") == b"7"


def test_a_refused_record_of_the_largest_size_is_put_on_deadletter_whole() -> None:
    value = b"x" * (MAX_MESSAGE_BYTES - size_bytes(b"zalo:1:2", b"", [("ce_id", b"1")]))
    letter = rejected(record(value), "d" * 10_000)
    assert letter.value == value
    assert size(letter) <= MAX_BYTES["deadletter"] < DEADLETTER.max_message_bytes


def test_a_refused_record_that_is_larger_than_deadletter_takes_is_cut() -> None:
    letter = rejected(record(b"x" * 3_000_000))
    assert size(letter) == MAX_BYTES["deadletter"]
    assert letter.headers[0] == ("ce_id", b"1")


@given(
    key=st.sampled_from([1, 1_000, 3_000_000]),
    value=st.sampled_from([0, 1_000, 3_000_000]),
    headers=st.sampled_from([0, 10, 3_000_000]),
    detail=st.sampled_from([0, 3_000_000]),
)
def test_whatever_is_large_about_a_refused_record_its_letter_fits(
    key: int, value: int, headers: int, detail: int
) -> None:
    refused = record(b"v" * value, key=b"k" * key, headers=[("big", b"h" * headers)])
    letter = rejected(refused, "d" * detail)
    assert size(letter) <= MAX_BYTES["deadletter"]
    assert header(letter.headers, "deadletter_offset") == b"7"
    assert len(header(letter.headers, "deadletter_detail") or b"") <= DETAIL_BYTES_MAX


def test_a_refused_record_may_have_a_header_without_a_value() -> None:
    refused = record()
    refused.headers = [("empty", None)]  # type: ignore[list-item]  # Kafka allows it
    assert dict(rejected(refused).headers)["empty"] is None


def test_a_detail_that_is_not_unicode_does_not_keep_a_record_from_being_refused() -> None:
    letter = rejected(record(), "bad \ud800 text")
    assert header(letter.headers, "deadletter_detail") == b"bad ? text"


@pytest.mark.parametrize("before", [[], [("forwarded_from", b"intake/5/inbound/9")]])
def test_a_record_is_forwarded_as_it_came_and_tells_from_where(before: Headers) -> None:
    moved = record(b"value", headers=[*before, ("ce_id", b"1")])
    made = batch(moved)
    made.forward(moved)
    place = ("forwarded_from", b"intake/3/inbound/%d" % moved.offset)
    assert made.events[3] == [Event("inbound", None, moved.key, b"value", [("ce_id", b"1"), place])]
    assert made.forwarded == 1


def test_a_record_that_only_its_compression_made_small_enough_is_not_forwarded() -> None:
    moved = record(b"x" * 3_000_000)
    with pytest.raises(EventTooLargeError, match="for inbound") as raised:
        batch(moved).forward(moved)
    assert raised.value.cause is moved
