"""A record as it is told: CloudEvents that any SDK reads, for one workspace, without what is private."""

from __future__ import annotations

from types import SimpleNamespace

import orjson
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.formats.json import JSONFormat

from schemas.envelope import Kind, headers
from workers.webhooks.event import CONTENT_TYPE, UnreadableRecordError, event_body, read_event
from workers.webhooks.selection import EVENTS, topics_of, wants

KEY = "messenger:1:khách"


def record(kind: Kind, value: bytes, named: list[tuple[str, bytes]] | None = None) -> SimpleNamespace:
    said = headers(kind, id_="e-1", source="desk/0", subject=KEY, time="2026-11-22T08:15:00.250Z")
    return SimpleNamespace(
        headers=said if named is None else named, value=value, key=KEY.encode(), offset=7, timestamp=1
    )


def test_any_cloudevents_sdk_reads_what_is_sent() -> None:
    value = '{"workspace":"shop","text":"Dạ còn ạ 👍","n":1.50}'.encode()
    event = read_event("messages", record(Kind("messages", "stored"), value), {"shop"})
    assert event is not None
    assert value in event.body  # as it was, to the byte
    read = from_http_event(HTTPMessage({"content-type": CONTENT_TYPE}, event.body), JSONFormat())
    assert (read.get_id(), read.get_source(), read.get_subject()) == ("e-1", "desk/0", KEY)
    assert read.get_type() == "tongdai.messages.stored.v1"
    assert read.get_extension("partitionkey") == KEY
    assert read.get_data() == orjson.loads(value)


def test_other_workspaces_and_notes_are_for_nobody_here() -> None:
    stored = Kind("messages", "stored")
    assert read_event("messages", record(stored, b'{"workspace":"other"}'), {"shop"}) is None
    assert read_event("messages", record(stored, b'{"workspace":"shop","kind":"note"}'), {"shop"}) is None
    assert read_event("messages", record(stored, b'{"workspace":"shop","kind":"text"}'), {"shop"}) is not None


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b"null", b'{"workspace": 1}', b"{}"])
def test_a_record_that_makes_no_event_is_refused(value: bytes) -> None:
    with pytest.raises(UnreadableRecordError):
        read_event("messages", record(Kind("messages", "stored"), value), {"shop"})


def test_without_an_id_or_of_another_topic_it_is_refused() -> None:
    kind = Kind("messages", "stored")
    nameless = [one for one in record(kind, b"").headers if one[0] != "ce_id"]
    with pytest.raises(UnreadableRecordError, match="ce_id"):
        read_event("messages", record(kind, b'{"workspace":"shop"}', nameless), {"shop"})
    with pytest.raises(UnreadableRecordError, match="not of this topic"):
        read_event("roster", record(kind, b'{"workspace":"shop"}'), {"shop"})


def test_what_can_be_chosen() -> None:
    assert {"assignments", "messages", "roster", "assignments.assigned", "messages.stored"} <= set(EVENTS)
    assert topics_of(["messages.stored", "assignments", "messages.read"]) == ["assignments", "messages"]
    assert wants(frozenset({"assignments"}), Kind("assignments", "one_that_comes_later"))
    assert wants(frozenset({"messages.stored"}), Kind("messages", "stored"))
    assert not wants(frozenset({"messages.stored"}), Kind("messages", "read"))


def test_what_is_empty_is_left_out() -> None:
    assert orjson.loads(event_body({"id": "1", "subject": ""}, {})) == {
        "specversion": "1.0",
        "id": "1",
        "datacontenttype": "application/json",
        "data": {},
    }
