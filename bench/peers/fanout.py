"""A bare floor for the gateway: sockets and one Kafka hop, and nothing between.

`python -m bench.peers.fanout`: offers every customer's message to all sockets, puts what they click on
commands, reads it back and tells: the first has it. Nobody signs in, no rights, no Postgres, no transaction;
what was decided is gone with the process.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.http11 import Request, Response

from config.settings import Settings, load_settings
from config.topics import COMMANDS, INBOUND
from schemas.base import rfc3339
from schemas.envelope import moment
from schemas.ids import conversation_id_text
from workers.runtime.garbage import collect_seldom

_KEY = b"desk"


class Fanout:
    """All sockets, and who has which conversation since when."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer) -> None:
        self._commands = COMMANDS.full_name(settings.kafka.topic_prefix)
        self._producer = producer
        self._sockets: dict[str, ServerConnection] = {}
        self._taken: dict[str, tuple[str, int]] = {}

    async def serve(self, socket: ServerConnection) -> None:
        """Take a socket's clicks until it goes."""
        name = orjson.loads(await socket.recv())["token"]
        self._sockets[name] = socket
        await socket.send('{"event":"ready","id":"","data":{}}')
        async for text in socket:
            said = orjson.loads(text)
            click = [name, said["id"], said["conversation"]]
            await self._producer.send(self._commands, orjson.dumps(click), key=_KEY)

    def take(self, record: Any) -> None:  # noqa: ANN401 - aiokafka's ConsumerRecord
        """Pass on what came out of Kafka."""
        if record.topic == self._commands:
            name, id_, conversation = orjson.loads(record.value)
            self._decide(name, id_, conversation, record.timestamp)
        else:
            self._tell("offered", conversation_id_text(record.key.decode()), record.timestamp)

    def _decide(self, name: str, id_: str, conversation: str, at_ms: int) -> None:
        winner, since_ms = self._taken.setdefault(conversation, (name, at_ms))
        won = winner == name
        details = {"winner": winner, "earlier_ms": at_ms - since_ms}
        body = {"result": {}} if won else {"code": "taken", "details": details}
        answer = {"re": id_, "status": 200 if won else 409, "body": body}
        broadcast([self._sockets[name]], orjson.dumps(answer).decode())
        if won:
            self._tell("withdrawn", conversation, at_ms)

    def _tell(self, event: str, conversation: str, at_ms: int) -> None:
        data = {"conversation": conversation, "at": rfc3339(moment(at_ms))}
        broadcast(self._sockets.values(), orjson.dumps({"event": event, "id": "", "data": data}).decode())


async def run(settings: Settings) -> None:
    """Serve until the process is stopped."""
    prefix = settings.kafka.topic_prefix
    topics = {COMMANDS.full_name(prefix): COMMANDS, INBOUND.full_name(prefix): INBOUND}
    producer = AIOKafkaProducer(**settings.kafka.client_options(), acks="all", enable_idempotence=True)
    consumer = AIOKafkaConsumer(**settings.kafka.client_options(), auto_offset_reset="earliest")
    for client in (producer, consumer):
        await client.start()
    consumer.assign(
        [
            TopicPartition(name, number)
            for name, topic in topics.items()
            for number in range(topic.partitions(settings.kafka))
        ]
    )
    fanout = Fanout(settings, producer)
    own = settings.gateway
    async with serve(fanout.serve, own.host, own.port, compression=None, process_request=_ready):
        while True:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                for record in records:
                    fanout.take(record)


def _ready(connection: ServerConnection, request: Request) -> Response | None:
    """Answer who asks whether it is ready."""
    return connection.respond(HTTPStatus.OK, "") if request.path == "/readyz" else None


if __name__ == "__main__":
    collect_seldom()
    uvloop.run(run(load_settings()))
