"""Whatever JSON a signed webhook holds, no event is lost and nothing raises."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.topics import DEADLETTER_EXTRA_BYTES, MAX_MESSAGE_BYTES
from schemas.base import Json
from schemas.catalogue import RECORDS
from schemas.envelope import header, read_kind
from schemas.inbound import InboundRecord
from schemas.receipts import Arrival
from workers.channels.channel import Channel, Item, Skipped
from workers.channels.messenger import Messenger, Opened
from workers.channels.messenger_event import KINDS as MESSENGER_KINDS
from workers.channels.records import Outgoing, Webhook, outgoing
from workers.channels.zalo import Zalo
from workers.channels.zalo_kinds import KINDS as ZALO_KINDS

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
IDS = st.sampled_from(["1", "U", "a:b", "", 7]) | JSON


def shaped(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Objects that have some of these fields: near enough to the documents to reach every line."""
    return st.fixed_dictionaries({}, optional=fields) | JSON


ATTACHMENT = shaped({"type": st.text(max_size=50), "payload": JSON, "url": JSON, "title": JSON})
MESSAGE = shaped(
    {
        "mid": IDS,
        "msg_id": IDS,
        "text": JSON | st.text(),
        "is_echo": st.booleans() | JSON,
        "app_id": IDS,
        "attachments": st.lists(ATTACHMENT, max_size=3) | JSON,
        "payload": JSON,
        "title": JSON,
    }
)
END = shaped({"id": IDS, "admin_id": IDS})
ENDS = {"sender": END, "recipient": END, "timestamp": JSON}
MESSENGER_EVENT = shaped({**ENDS, **dict.fromkeys(MESSENGER_KINDS[:4], MESSAGE), "teleport": JSON})
EVENTS = st.lists(MESSENGER_EVENT, max_size=4) | JSON
ENTRY = shaped({"id": IDS, "time": JSON, "messaging": EVENTS, "standby": EVENTS, "changes": EVENTS})
MESSENGER = st.fixed_dictionaries(
    {"object": st.just("page")}, optional={"entry": st.lists(ENTRY, max_size=3) | JSON}
)
ZALO = st.fixed_dictionaries(
    {"app_id": st.just("1")},
    optional={
        **ENDS,
        "event_name": st.sampled_from(sorted(ZALO_KINDS)) | JSON,
        "message": MESSAGE,
        "oa_id": IDS,
        "follower": END,
        "data": JSON,
    },
)


# Drawing nested JSON takes its time on a loaded machine; what is tested does not.
SLOW_MACHINE = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def check(channel: Channel, document: Json) -> list[Item]:
    """Normalise, make records of it, and read them as intake does."""
    body = orjson.dumps(document)
    webhook = Webhook(channel.name, body, received_ms=1_700_000_000_000)
    opened = orjson.loads(body)
    items = list(channel.items(Opened(opened) if isinstance(channel, Messenger) else opened))
    for item in items:
        if not isinstance(item, Skipped):
            check_record(outgoing(webhook, item), item)
    return items


def check_record(record: Outgoing, item: Item) -> None:
    assert len(record.value) <= MAX_MESSAGE_BYTES + DEADLETTER_EXTRA_BYTES
    assert (record.topic == "receipts") == isinstance(item, Arrival)
    if not isinstance(item, InboundRecord):
        assert record.topic == "deadletter"
        assert header(record.headers, "deadletter_reason") in {b"unreadable", b"unknown_event"}
        return
    read = RECORDS[read_kind(record.headers, record.topic)].model_validate_json(record.value)
    assert read == item
    assert record.key == item.key.encode()


@SLOW_MACHINE
@given(MESSENGER)
def test_each_event_of_messenger_gives_one_record_or_one_refusal(document: dict[str, Any]) -> None:
    items = check(Messenger([]), document)
    entries = document.get("entry")
    if not isinstance(entries, list):
        assert len(items) == 1
        return
    places = [
        [entry[place] for place in ("messaging", "standby", "changes") if isinstance(entry.get(place), list)]
        if isinstance(entry, dict)
        else []
        for entry in entries
    ]
    assert len(items) == sum(sum(map(len, lists)) if lists else 1 for lists in places)


@SLOW_MACHINE
@given(ZALO)
def test_each_event_of_zalo_gives_one_record_or_one_refusal(document: dict[str, Any]) -> None:
    assert len(check(Zalo([]), document)) == 1
