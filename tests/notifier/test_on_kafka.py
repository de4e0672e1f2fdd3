"""The notifier in the runtime on a real Kafka: what is on the topics reaches lists and notifications once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from config.settings import Settings
from schemas.envelope import Kind, headers, read_kind
from schemas.ids import notice_id
from tests.notifier.failing import delivery
from tests.notifier.ground import (
    Line,
    assert_lists_are_right,
    notified,
    record,
    store_transcript,
    stored_notices,
)
from tests.notifier.history import Notified, invent
from workers.notifier.handler import NotifierHandler
from workers.runtime.runtime import Runtime, read_topology

pytestmark = pytest.mark.servers

DEADLINE_S = 90.0


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[None]:
    """A notifier of its own, from the first record it has to read until a graceful stop."""
    stopping = asyncio.Event()
    runtime = Runtime(NotifierHandler(), await read_topology(settings), settings)
    task = asyncio.create_task(runtime.run(stopping))
    yield
    stopping.set()
    await asyncio.wait_for(task, DEADLINE_S)


async def publish(settings: Settings, topics: dict[str, str], lines: Sequence[Line]) -> None:
    producer = AIOKafkaProducer(**settings.kafka.client_options(), acks="all", enable_idempotence=True)
    await producer.start()
    for one in (record(line, 0) for line in lines):
        await producer.send(topics[one.topic], one.value, key=one.key, headers=list(one.headers))
    await producer.stop()


async def fail_an_answer(settings: Settings, topic: str) -> Notified:
    """Delivery tells that an answer has failed, in a conversation of its own; the notice of it."""
    id_, failed = uuid4(), delivery()
    said = headers(Kind("receipts", "delivery"), id_=id_, source="test", subject=failed.key, time="")
    producer = AIOKafkaProducer(**settings.kafka.client_options(), acks="all", enable_idempotence=True)
    async with producer:
        value = failed.model_dump_json().encode()
        await producer.send_and_wait(topic, value, key=failed.key.encode(), headers=said)
    return Notified("answer_failed", notice_id(id_, "acme/an"), "an", 0, 0, failed.position)


async def read_notices(settings: Settings, topic: str, count: int) -> list[Notified]:
    consumer = AIOKafkaConsumer(
        topic,
        **settings.kafka.client_options(),
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    found: list[Notified] = []
    async with asyncio.timeout(DEADLINE_S):
        while len(found) < count:
            one = await consumer.getone()
            notice = notified(read_kind(one.headers, "notifications").what, one.key, one.value)
            found += [notice] if notice is not None else []
    await consumer.stop()
    return found


async def test_histories_reach_agents_over_a_restart(settings: Settings, topics: dict[str, str]) -> None:
    histories = [invent(seed, f"h{seed}", 30) for seed in range(20)]
    expected = Counter(notice for history in histories for notice in history.expected())
    connection = await asyncpg.connect(settings.postgres.dsn.get_secret_value())
    for history in histories:
        await store_transcript(connection, history)
    # Messages come first and wait for their events over the restart.
    await publish(settings, topics, [line for history in histories for line in history.transcript])
    async with running(settings):
        async with asyncio.timeout(DEADLINE_S):
            while not await connection.fetchval("SELECT count(*) FROM notifier_held"):
                await asyncio.sleep(0.05)
    await publish(settings, topics, [line for history in histories for line in history.steps])
    expected[await fail_an_answer(settings, topics["receipts"])] += 1
    async with running(settings):
        found = await read_notices(settings, topics["notifications"], expected.total())

    assert Counter(found) == expected
    assert Counter(await stored_notices(connection)) == expected
    assert await connection.fetchval("SELECT count(*) FROM notifier_held") == 0
    topology = await read_topology(settings)
    lanes = {h.conversation: topology.partition("messages", h.key.encode()) for h in histories}
    await assert_lists_are_right(connection, histories, lanes.__getitem__)
    await connection.close()
