"""Kafka's own ids of topics (KIP-516): event ids are computed from that of the log that they come from.

aiokafka speaks Metadata up to version 5; the ids come with version 12, read here as Kafka's protocol guide
has it.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import UUID

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

_TAGS = ("tags", TaggedFields)
_NAME = CompactString("utf-8")
_NODES = CompactArray(Int32)


class _Uuid(AbstractType[UUID]):  # type: ignore[misc]  # aiokafka has no types
    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))

    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes


_BROKER = (("id", Int32), ("host", _NAME), ("port", Int32), ("rack", _NAME), _TAGS)
_PARTITION = (
    *(("error", Int16), ("index", Int32), ("leader", Int32), ("epoch", Int32)),
    *(("replicas", _NODES), ("in_sync", _NODES), ("offline", _NODES), _TAGS),
)
_TOPIC = (
    *(("error", Int16), ("name", _NAME), ("id", _Uuid), ("internal", Boolean)),
    *(("partitions", CompactArray(*_PARTITION)), ("operations", Int32), _TAGS),
)


class _Response(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        *(("throttle_ms", Int32), ("brokers", CompactArray(*_BROKER)), ("cluster", _NAME)),
        *(("controller", Int32), ("topics", CompactArray(*_TOPIC)), _TAGS),
    )


class _Struct(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Response
    SCHEMA = Schema(
        ("topics", CompactArray(("id", _Uuid), ("name", _NAME), _TAGS)),
        *(("may_create", Boolean), ("operations", Boolean), _TAGS),
    )


class _Ask(Request[_Struct]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, name: str) -> None:
        self._name = name

    def build(self, struct: type[_Struct]) -> Any:  # noqa: ANN401 - aiokafka has no types
        return struct([(UUID(int=0), self._name, {})], False, False, {})


async def topic_id(admin: AIOKafkaAdminClient, name: str) -> str:
    """The id of the topic with this full name; one that is made again has another. Raises KafkaError."""
    response = await admin._send_request(_Ask(name))  # noqa: SLF001 - there is no public way
    return str(response.topics[0][2])
