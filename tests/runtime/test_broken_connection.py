"""A request on a connection that has just been reset fails as Kafka's, whatever the event loop calls it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError

from workers.runtime.broken_connection import tell_broken_connections

REQUEST: Any = SimpleNamespace(
    prepare=lambda _: SimpleNamespace(
        build_request_header=lambda **_: SimpleNamespace(encode=lambda: b""), encode=lambda: b""
    )
)


class ClosedTransport:
    """Of uvloop: it raises what asyncio's own only logs."""

    def write(self, _: bytes) -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")

    def close(self) -> None:
        """It is closed."""


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(AIOKafkaConnection, "send", AIOKafkaConnection.send)
        tell_broken_connections()
        yield


async def test_a_write_on_a_closed_transport_breaks_the_connection() -> None:
    connection = AIOKafkaConnection("127.0.0.1", 9092)
    connection._writer, connection._reader = ClosedTransport(), asyncio.StreamReader()
    connection._read_task = asyncio.create_task(asyncio.Event().wait())
    with pytest.raises(KafkaConnectionError, match="handler is closed"):
        connection.send(REQUEST)
    assert not connection.connected()
    with pytest.raises(KafkaConnectionError, match="No connection"):
        connection.send(REQUEST)
