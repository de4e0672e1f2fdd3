"""An event as it is sent: the record as CloudEvents 1.0 in structured JSON."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any, NamedTuple

import orjson

from schemas.envelope import Kind, UnreadableEnvelopeError, header, read_kind
from workers.webhooks.selection import is_private

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
RECORD_OVERHEAD_BYTES = 1_024
"""What an event costs in memory beside its body."""


class Place(NamedTuple):
    """A partition of a topic, by the topic's short name."""

    topic: str
    partition: int


class Event(NamedTuple):
    """One event of a workspace."""

    workspace: str
    kind: Kind
    id: str
    offset: int
    timestamp_ms: int
    """The log's time."""
    body: bytes

    @property
    def size(self) -> int:
        """Bytes that it takes in memory, about."""
        return len(self.body) + RECORD_OVERHEAD_BYTES


class UnreadableRecordError(ValueError):
    """A record is no event that anybody could be told."""


def read_event(topic: str, record: Any, workspaces: Container[str]) -> Event | None:  # noqa: ANN401 - aiokafka's
    """The event of a record on `topic`; none: it is not for these workspaces, or for nobody outside.

    Raises UnreadableRecordError.
    """
    headers: Sequence[tuple[str, bytes]] = record.headers
    try:
        kind = read_kind(headers, topic)
        data = orjson.loads(record.value or b"")
    except (UnreadableEnvelopeError, orjson.JSONDecodeError) as error:
        raise UnreadableRecordError(str(error)) from error
    if not isinstance(data, dict) or not isinstance(data.get("workspace"), str):
        raise UnreadableRecordError("it names no workspace")
    if data["workspace"] not in workspaces or is_private(kind, data):
        return None
    id_ = _text(headers, "ce_id")
    body = _body(headers, record.key, orjson.Fragment(record.value))
    return Event(data["workspace"], kind, id_, record.offset, record.timestamp, body)


def event_body(attributes: dict[str, str], data: object) -> bytes:
    """CloudEvents in structured JSON; attributes that are empty are left out."""
    said = {name: value for name, value in attributes.items() if value}
    return orjson.dumps({"specversion": "1.0", **said, "datacontenttype": "application/json", "data": data})


def _body(headers: Sequence[tuple[str, bytes]], key: bytes | None, data: object) -> bytes:
    named = ("id", "source", "type", "time", "subject", "dataschema")
    attributes = {name: _text(headers, f"ce_{name}") for name in named}
    attributes["partitionkey"] = (key or b"").decode(errors="replace")
    return event_body(attributes, data)


def _text(headers: Sequence[tuple[str, bytes]], name: str) -> str:
    """Without its id an event could not be told from others: it is refused as unreadable."""
    value = header(headers, name)
    if not value and name == "ce_id":
        raise UnreadableRecordError("the header ce_id is missing")
    return (value or b"").decode(errors="replace")
