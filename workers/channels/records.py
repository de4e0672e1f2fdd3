"""What a webhook's events become on Kafka: records of inbound or receipts, or dead letters."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import orjson

from config.topics import DEADLETTER, MAX_MESSAGE_BYTES
from schemas import envelope
from schemas.catalogue import RECORDS
from schemas.deadletter import Deadletter, Reason
from schemas.envelope import Headers, Kind
from schemas.ids import MESSAGES, message_id_text, uuid5_text
from schemas.inbound import InboundRecord, InboundUtterance
from workers.channels.channel import Refused

KEY_CHARS_MAX = 300
"""As `schemas.base.ConversationKey`: a longer key is no conversation's."""

BATCH_OVERHEAD_BYTES = 512
"""What Kafka adds to a lone record: the batch's header (61), lengths, and room to spare."""

_CONTENT_TYPE = ("content-type", b"application/json")
_KINDS: dict[type, Kind] = {
    model: kind for kind, model in RECORDS.items() if issubclass(model, InboundRecord)
}


class Webhook(NamedTuple):
    """Where events come from: the channel, the body as it came, and when."""

    channel: str
    body: bytes
    received_ms: int
    worker: str = "ingress"
    """Who has it."""

    @property
    def source(self) -> str:
        return f"{self.worker}/{self.channel}"


class Outgoing(NamedTuple):
    """One record to be sent."""

    topic: str
    """Its short name."""
    key: bytes | None
    value: bytes
    headers: Headers
    what: str
    """For the metric: the kind of inbound record, or the reason of a dead letter."""


def outgoing(webhook: Webhook, item: InboundRecord | Refused) -> Outgoing:
    """The record of one event. What is larger than inbound takes is a dead letter too."""
    if isinstance(item, Refused):
        return _dead_letter(webhook, item.reason, item.detail, item.key, orjson.dumps(item.original))
    value = item.model_dump_json(exclude_none=True).encode()
    kind = _KINDS[type(item)]
    headers = _headers(webhook, kind, item)
    record = Outgoing(kind.topic, item.key.encode(), value, headers, kind.what)
    if _size_bytes(record) <= MAX_MESSAGE_BYTES:
        return record
    detail = f"the record would take {_size_bytes(record)} bytes; the topic takes {MAX_MESSAGE_BYTES}"
    return _dead_letter(webhook, "too_large", detail, item.key, webhook.body)


def _headers(webhook: Webhook, kind: Kind, item: InboundRecord) -> Headers:
    """The CloudEvents headers. Every delivery of one event has the same `ce_id`."""
    if isinstance(item, InboundUtterance):
        id_ = message_id_text(item.page, item.channel_message_id)
    else:
        # No channel gives these an id; a control character keeps the name apart from those of messages.
        event = orjson.dumps(item.raw, option=orjson.OPT_SORT_KEYS)
        id_ = uuid5_text(MESSAGES, f"{item.page}\n\n{hashlib.sha256(event).hexdigest()}")
    at_ms = webhook.received_ms if item.sent_at_ms is None else item.sent_at_ms
    time = envelope.time_text(at_ms)
    source = f"tongdai/{webhook.source}"
    return envelope.headers(kind, id_=id_, source=source, subject=item.key, time=time)


def _dead_letter(webhook: Webhook, reason: Reason, detail: str, key: str | None, value: bytes) -> Outgoing:
    # JSON written anew can be longer than it came; the body never is, by the ingress's own limit.
    kept = value if len(value) <= MAX_MESSAGE_BYTES else webhook.body
    letter = Deadletter(reason, detail, webhook.worker, webhook.source, -1, -1, webhook.received_ms)
    headers = [_CONTENT_TYPE, *letter.headers()]
    known_key = key.encode() if key is not None and len(key) <= KEY_CHARS_MAX else None
    return Outgoing(DEADLETTER.name, known_key, kept, headers, reason)


def _size_bytes(record: Outgoing) -> int:
    headers = sum(len(name) + len(value) + 8 for name, value in record.headers)
    return len(record.key or b"") + len(record.value) + headers + BATCH_OVERHEAD_BYTES
