"""What uvloop says of a connection that is closed already, in the words that aiokafka understands."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError, KafkaError

_send = AIOKafkaConnection.send


def tell_broken_connections() -> None:
    """Have a request on a broken connection fail as every other one does, in this whole process.

    Who writes when the other end has just reset it gets a RuntimeError from uvloop. aiokafka expects an
    OSError: the other one ended the task that keeps a consumer in its group.
    """
    AIOKafkaConnection.send = _send_or_break


def _send_or_break(
    connection: AIOKafkaConnection,
    request: Any,  # noqa: ANN401 - aiokafka's
    expect_response: bool = True,
) -> Awaitable[Any]:
    try:
        sent: Awaitable[Any] = _send(connection, request, expect_response=expect_response)
    except KafkaError:  # a RuntimeError, too
        raise
    except RuntimeError as error:
        connection.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(f"{connection.host}:{connection.port} is broken: {error}") from error
    return sent
