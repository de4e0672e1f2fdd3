"""CloudEvents 1.0 in Kafka's binary mode: attributes as `ce_` headers, the record's value is the data.

Source: CloudEvents Kafka protocol binding 1.0.2, section 3.2.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from schemas.base import rfc3339

Headers = list[tuple[str, bytes]]

TYPE_PREFIX = "tongdai"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPECVERSION = ("ce_specversion", b"1.0")
_CONTENT_TYPE = ("content-type", b"application/json")


class UnreadableEnvelopeError(ValueError):
    """The headers do not make a CloudEvent of ours."""


class Kind(NamedTuple):
    """What a `ce_type` says: `tongdai.<topic>.<what>.v1`."""

    topic: str
    what: str

    @property
    def ce_type(self) -> str:
        return f"{TYPE_PREFIX}.{self.topic}.{self.what}.v1"


def headers(kind: Kind, *, id_: UUID | str, source: str, subject: str, time: str) -> Headers:
    """The headers of one event. `time` is RFC 3339, `subject` what the event is about (a key)."""
    type_, schema = _of_kind(kind)
    return [
        _SPECVERSION,
        ("ce_id", str(id_).encode()),
        ("ce_source", source.encode()),
        type_,
        ("ce_time", time.encode()),
        ("ce_subject", subject.encode()),
        schema,
        _CONTENT_TYPE,
    ]


@lru_cache(maxsize=256)
def _of_kind(kind: Kind) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    """The headers that all events of a kind have."""
    schema = f"urn:tongdai:{kind.topic}:{kind.what}:v1"
    return ("ce_type", kind.ce_type.encode()), ("ce_dataschema", schema.encode())


def header(headers_: Iterable[tuple[str, bytes]], name: str) -> bytes | None:
    """The first header of this name."""
    return next((value for key, value in headers_ if key == name), None)


def read_kind(headers_: Iterable[tuple[str, bytes]], topic: str) -> Kind:
    """The kind of a record on `topic`.

    Raises UnreadableEnvelopeError when `ce_type` is missing, or is not one of this topic.
    """
    value = header(headers_, "ce_type")
    if value is None:
        raise UnreadableEnvelopeError("the header ce_type is missing")
    parts = value.decode(errors="replace").split(".")
    match parts:
        case ["tongdai", found, what, "v1"] if found == topic:
            return Kind(topic, what)
    raise UnreadableEnvelopeError(
        f"ce_type {value[:100]!r} is not of this topic: tongdai.{topic}.<what>.v1 is expected"
    )


def moment(timestamp_ms: int) -> datetime:
    """Kafka's milliseconds since 1970 as a time in UTC, to the millisecond in every year."""
    return _EPOCH + timedelta(milliseconds=timestamp_ms)


@lru_cache(maxsize=8_192)
def time_text(timestamp_ms: int) -> str:
    """The same as RFC 3339 with milliseconds. Remembered: what a record gives rise to has its moment."""
    return rfc3339(moment(timestamp_ms))
