"""Records and dead letters: ids, headers, sizes."""

from __future__ import annotations

import orjson

from config.topics import DEADLETTER_EXTRA_BYTES, MAX_MESSAGE_BYTES
from schemas.envelope import header
from schemas.inbound import InboundRecord
from tests.channels.webhooks import from_user, messenger, said
from workers.channels.channel import Refused
from workers.channels.messenger_event import normalise
from workers.channels.records import BATCH_OVERHEAD_BYTES, Outgoing, Webhook, outgoing

WEBHOOK = Webhook("messenger", b"the body as it came", received_ms=1_700_000_000_000)


def record(event: dict[str, object]) -> Outgoing:
    item = normalise("1", event, standby=False)
    assert isinstance(item, InboundRecord)
    return outgoing(WEBHOOK, item)


def test_raw_keeps_its_empty_fields_and_the_record_has_none() -> None:
    event = said(quick_reply=None, nlp={"entities": {}, "x": None})
    value = orjson.loads(record(event).value)
    assert value["raw"] == event
    assert None not in [field for name, field in value.items() if name != "raw"]


def test_an_event_without_id_or_time_gets_both() -> None:
    event = from_user(delivery={"watermark": 1})
    del event["timestamp"]
    first, second = record(event), record(dict(reversed(event.items())))
    assert header(first.headers, "ce_id") == header(second.headers, "ce_id")
    assert header(first.headers, "ce_time") == b"2023-11-14T22:13:20.000Z"
    assert header(record(event | {"delivery": {"watermark": 2}}).headers, "ce_id") != header(
        first.headers, "ce_id"
    )


def test_a_record_fits_its_topic_to_the_last_byte_or_is_deadlettered() -> None:
    def sized(filler: int) -> Outgoing:
        return record(said(filler="x" * filler))

    room = MAX_MESSAGE_BYTES - BATCH_OVERHEAD_BYTES
    empty = sized(0)
    base = len(empty.value) + len(empty.key or b"") + sum(len(n) + len(v) + 8 for n, v in empty.headers)
    assert sized(room - base).topic == "inbound"
    letter = sized(room - base + 1)
    assert (letter.topic, letter.what, letter.value) == ("deadletter", "too_large", WEBHOOK.body)
    assert letter.key == b"messenger:1:U"


def test_a_dead_letter_always_fits() -> None:
    huge = Refused("unreadable", "x" * 100_000, {"filler": "y" * MAX_MESSAGE_BYTES}, "z" * 1_000)
    letter = outgoing(WEBHOOK, huge)
    assert (letter.key, letter.value) == (None, WEBHOOK.body)
    assert sum(len(value) for _, value in letter.headers) < DEADLETTER_EXTRA_BYTES // 2
    body = messenger(said(mid="")).body
    item = normalise("1", said(mid=""), standby=False)
    assert isinstance(item, Refused)
    assert outgoing(Webhook("messenger", body, 0), item).key == b"messenger:1:U"
