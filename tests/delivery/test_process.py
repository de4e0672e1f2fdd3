"""The worker as a process, killed again and again: all is sent, in order, and nothing twice."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pydantic import BaseModel

from config.settings import Settings
from schemas import envelope
from schemas.envelope import Kind, header
from schemas.ids import conversation_id
from schemas.outbound import Echoed, Send
from tests.delivery.ground import KEY, ONE, Ground, ground
from tests.waiting import eventually
from workers.channels.delivery.marker import read_marker
from workers.local.simulator.platform.serving import serving

pytestmark = [pytest.mark.servers, pytest.mark.slow]
USERS, MESSAGES, KILLS = 6, 8, 3


@asynccontextmanager
async def _worker(field: Ground, kafka: Settings, url: str, folder: Path) -> AsyncIterator[Process]:
    environment = {
        "TONGDAI_KAFKA_BOOTSTRAP_SERVERS": kafka.kafka.bootstrap_servers,
        "TONGDAI_KAFKA_TOPIC_PREFIX": kafka.kafka.topic_prefix,
        "TONGDAI_KAFKA_CONVERSATION_PARTITIONS": str(kafka.kafka.conversation_partitions),
        "TONGDAI_POSTGRES_DSN": field.settings.postgres.dsn.get_secret_value(),
        "TONGDAI_RUNTIME_SESSION_TIMEOUT_MS": "6000",
        "TONGDAI_RUNTIME_HEARTBEAT_INTERVAL_MS": "1000",
        "TONGDAI_DELIVERY_KEYS": KEY,
        "TONGDAI_DELIVERY_MESSENGER_URL": f"{url}/v26.0",
        "TONGDAI_DELIVERY_REQUEST_TIMEOUT_S": "1.5",
        "TONGDAI_DELIVERY_ECHO_WAIT_S": "4",
        "TONGDAI_DELIVERY_RETRY_FIRST_S": "0.1",
        "TONGDAI_DELIVERY_RETRY_LAST_S": "1",
        "TONGDAI_DELIVERY_UNANSWERED": "resend",
        "TONGDAI_LOG_LEVEL": "error",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "workers.cli.main",
        "worker",
        "delivery",
        cwd=Path.cwd(),
        env={**os.environ, **environment, "PYTHONPATH": str(Path.cwd()), "TMPDIR": str(folder)},
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _publish(producer: AIOKafkaProducer, topic: str, what: str, value: BaseModel, key: str) -> None:
    headers = envelope.headers(
        Kind("outbound", what), id_=uuid4(), source="tests", subject=key, time="2026-11-22T01:15:00.000Z"
    )
    await producer.send_and_wait(
        topic, orjson.dumps(value.model_dump(mode="json")), key=key.encode(), headers=headers
    )


async def _echo(field: Ground, producer: AIOKafkaProducer, topic: str) -> None:
    """What the platform shows comes back through intake."""
    shown = 0
    while True:
        for said in field.one.said[shown:]:
            marked = read_marker(said.marker)
            assert marked is not None
            key = f"{ONE}:{said.user}"
            echo = Echoed(
                workspace="acme",
                desk="main",
                conversation=conversation_id(key),
                key=key,
                page=ONE,
                message=marked.message,
                part=marked.part,
                channel_message_id=said.id,
                at=datetime.now(UTC),
            )
            await _publish(producer, topic, "echoed", echo, key)
            shown += 1
        await asyncio.sleep(0.02)


async def test_killed_at_any_step_nothing_is_lost_and_nothing_sent_twice(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    random = Random(7)
    async with (
        ground(settings.postgres.dsn.get_secret_value()) as field,
        serving(field.facebook.asgi) as url,
        AIOKafkaProducer(**settings.kafka.client_options(), acks="all", enable_idempotence=True) as producer,
    ):
        sends = [
            field.send(ONE, f"u{user}", f"{number}") for number in range(MESSAGES) for user in range(USERS)
        ]
        field.one.faults.extend(["hold", "lose", {"message": "again", "code": 2}, "lose"])
        field.one.rate_per_s = 1_000
        echoing = asyncio.create_task(_echo(field, producer, topics["outbound"]))
        try:
            for send in sends:
                await _publish(producer, topics["outbound"], "send", send, send.key)
            for _ in range(KILLS):
                async with _worker(field, settings, url, tmp_path) as process:
                    before = len(field.one.said)

                    async def has_gone_on(before: int = before) -> bool:
                        stored = await field.database.fetchval("SELECT count(*) FROM delivery")
                        said = len(field.one.said) > before or field.one.held.is_set()
                        return said and bool(stored == len(sends))

                    await eventually(has_gone_on, "messages are stored and sent")
                    field.one.held.clear()
                    await asyncio.sleep(random.uniform(0, 0.2))
                    process.kill()
            async with _worker(field, settings, url, tmp_path):
                states = await _final_states(settings, topics["receipts"], {send.message for send in sends})
        finally:
            echoing.cancel()
            field.one.release.set()
    assert set(states.values()) == {"sent"}
    for user in range(USERS):
        assert field.one.texts(f"u{user}") == [str(number) for number in range(MESSAGES)]


async def _final_states(settings: Settings, topic: str, messages: set[UUID]) -> dict[UUID, str]:
    """How each message stands, once all are final; each word of receipts is there once."""
    ids: set[bytes] = set()
    states: defaultdict[UUID, str] = defaultdict(str)
    versions: dict[UUID, int] = {}
    consumer = AIOKafkaConsumer(
        topic,
        **settings.kafka.client_options(),
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    async with consumer, asyncio.timeout(60):
        while not (states.keys() >= messages and set(states.values()) <= {"sent", "failed"}):
            record = await consumer.getone()
            id_ = header(record.headers, "ce_id")
            assert id_ is not None
            assert id_ not in ids, "told once"
            ids.add(id_)
            value: Send | dict[str, object] = orjson.loads(record.value)
            assert isinstance(value, dict)
            message = UUID(str(value["message"]))
            assert int(str(value["version"])) > versions.get(message, 0), "in order"
            versions[message] = int(str(value["version"]))
            states[message] = str(value["state"])
    return dict(states)
