"""A record is recognised when it is derived again, and each lane knows its own."""

from __future__ import annotations

import pytest

from schemas.envelope import Headers, Kind
from workers.runtime.batch import Batch, Event, Record
from workers.runtime.identity import LaneName, identity, lane_source, publisher


def record(offset: int = 7, lane: int = 3) -> Record:
    return Record("inbound", lane, offset, 1_000, b"key", b"value", [("ce_id", b"of-the-cause")])


def published(cause: Record, how: str, *, kind: str = "intake") -> Event:
    batch = Batch(kind, [cause], [1_000])
    match how:
        case "emit":
            batch.emit(cause, Kind("messages", "copied"), key=b"key", value=b"{}", at_ms=1_000)
        case "reject":
            batch.reject(cause, "unreadable", "why")
        case "forward":
            batch.forward(cause)
    [event] = batch.events[cause.lane]
    return event


def identified(event: Event) -> str:
    return identity(event.topic, event.headers)


@pytest.mark.parametrize("how", ["emit", "reject", "forward"])
def test_what_is_derived_again_has_the_same_identity(how: str) -> None:
    assert identified(published(record(), how)) == identified(published(record(), how))


@pytest.mark.parametrize("how", ["emit", "reject", "forward"])
def test_what_another_record_gives_rise_to_has_another_identity(how: str) -> None:
    events = [published(record(offset, lane), how) for offset in (7, 8) for lane in (3, 4)]
    assert len({identified(event) for event in events}) == 4


def test_another_record_at_the_same_offset_of_a_log_that_lost_its_end_gives_rise_to_other_events() -> None:
    cause, ids = record(), set()
    for cuts in ({}, {("inbound", 3): "7"}, {("inbound", 3): "9"}, {("inbound", 4): "7"}):
        batch = Batch("intake", [cause], [1_000], {"inbound": "log"}, cuts=cuts)
        assert batch.ids_of(cause)(5) == batch.id_of(cause, 5)
        ids.add(batch.id_of(cause, 5))
    assert len(ids) == 3


def test_a_dead_letter_is_identified_by_where_it_came_from() -> None:
    assert identified(published(record(), "reject")) == "deadletter intake/inbound/3/7"


def test_a_lane_recognises_what_it_published_and_nothing_else() -> None:
    for how in ("emit", "reject", "forward"):
        event = published(record(), how)
        assert publisher(event.topic, event.headers) == LaneName("intake", 3)
    assert lane_source("intake", 3) == "tongdai/intake/3"


def test_what_was_sent_on_is_another_one_than_what_is_emitted_under_the_same_id() -> None:
    sent_on = published(record(), "forward")
    assert identified(sent_on) == "forwarded intake/3/inbound/7"
    assert publisher(sent_on.topic, sent_on.headers) == LaneName("intake", 3)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("ce_id", None), ("ce_source", None)],
        [("ce_id", b"\xff"), ("ce_source", b"\xff")],
        [("forwarded_from", None)],
        [("ce_source", b"tongdai/cli")],
        [("ce_source", b"tongdai/intake/" + b"3" * 5_000)],
    ],
)
def test_a_foreign_record_is_of_no_lane_and_harms_nothing(headers: Headers) -> None:
    for topic in ("messages", "deadletter"):
        assert publisher(topic, headers) is None
        assert isinstance(identity(topic, headers), str)


def test_a_dead_letter_with_unreadable_headers_harms_nothing() -> None:
    assert isinstance(identity("deadletter", [("deadletter_topic", b"\xff")]), str)
