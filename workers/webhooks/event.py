"""An event as it is sent: the record as CloudEvents 1.0 in structured JSON."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any, NamedTuple

import orjson

from schemas.envelope import Kind, UnreadableEnvelopeError, read_kind
from workers.webhooks.selection import is_private

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
RECORD_OVERHEAD_BYTES = 512
"""What an event costs in memory beside its body."""

_ATTRIBUTES = ("id", "source", "type", "time", "subject", "dataschema")


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
    try:
        kind = read_kind(record.headers, topic)
        data = orjson.loads(record.value or b"")
    except (UnreadableEnvelopeError, orjson.JSONDecodeError) as error:
        raise UnreadableRecordError(str(error)) from error
    if not isinstance(data, dict) or not isinstance(data.get("workspace"), str):
        raise UnreadableRecordError("it names no workspace")
    if data["workspace"] not in workspaces or is_private(kind, data):
        return None
    attributes = _attributes(record.headers)
    attributes["partitionkey"] = (record.key or b"").decode(errors="replace")
    body = event_body(attributes, orjson.Fragment(record.value))
    return Event(data["workspace"], kind, attributes["id"], record.offset, record.timestamp, body)


def event_body(attributes: dict[str, str], data: object) -> bytes:
    """CloudEvents in structured JSON; attributes that are empty are left out."""
    said = {name: value for name, value in attributes.items() if value}
    return orjson.dumps({"specversion": "1.0", **said, "datacontenttype": "application/json", "data": data})


def _attributes(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Those of CloudEvents. Without its id an event could not be told from others: it is refused."""
    named = dict(headers)
    attributes = {name: named.get(f"ce_{name}", b"").decode(errors="replace") for name in _ATTRIBUTES}
    if not attributes["id"]:
        raise UnreadableRecordError("the header ce_id is missing")
    return attributes
