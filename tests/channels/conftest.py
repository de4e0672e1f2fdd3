"""A real ingress on a real Kafka, and readers of what it publishes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from config.settings import Settings
from tests.channels.webhooks import APPS
from workers.channels import process, shedding
from workers.local.ports import free_port

PATIENT_S = 60.0
"""Longer than a test machine stands still."""
START_DEADLINE_S = 90.0
READ_DEADLINE_S = 90.0

Reader = Callable[[str], Awaitable[list[ConsumerRecord[bytes, bytes]]]]


def with_ingress(settings: Settings, **ingress: object) -> Settings:
    """`settings` with the tests' apps on a free port, and more."""
    values = settings.model_dump(exclude={"ingress"}, exclude_unset=True)
    return Settings.model_validate({**values, "ingress": {"port": 0, **APPS, **ingress}})


@asynccontextmanager
async def running(settings: Settings, wait_max_s: float = PATIENT_S) -> AsyncIterator[httpx.AsyncClient]:
    """An ingress that accepts connections, and a client of it. Kafka need not be there.

    `wait_max_s`: whoever would wait longer is sent away.
    """
    with pytest.MonkeyPatch.context() as patience:
        patience.setattr(shedding, "WAIT_MAX_S", wait_max_s)
        async with _running(settings) as client:
            yield client


@asynccontextmanager
async def _running(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    task = asyncio.create_task(process.serve(settings, on_listening=url.set_result, stop=stop))
    try:
        async with asyncio.timeout(START_DEADLINE_S):
            base_url = await url
        async with httpx.AsyncClient(base_url=base_url, timeout=30.0) as client:
            yield client
    finally:
        stop.set()
        await asyncio.wait_for(task, START_DEADLINE_S)


async def until_ready(client: httpx.AsyncClient) -> None:
    """Return once the ingress is connected to Kafka."""
    async with asyncio.timeout(START_DEADLINE_S):
        while (await client.get("/readyz")).status_code != httpx.codes.OK:
            pass


@pytest.fixture
async def led_topics(bootstrap_servers: str, topics: dict[str, str]) -> dict[str, str]:
    """The topics of this test, once every partition answers: a broker knows new ones before it leads them."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers)
    await consumer.start()
    try:
        for name in ("inbound", "receipts", "deadletter"):
            await consumer.end_offsets(await _partitions(consumer, topics[name]))
    finally:
        await consumer.stop()
    return topics


@pytest.fixture
async def ingress(kafka_settings: Settings, led_topics: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """A ready ingress whose topics exist."""
    del led_topics
    async with running(with_ingress(kafka_settings)) as client:
        await until_ready(client)
        yield client


def without_kafka() -> Settings:
    """Settings of an ingress at whose Kafka nobody is."""
    kafka = {"bootstrap_servers": f"127.0.0.1:{free_port()}"}
    return with_ingress(Settings.model_validate({"kafka": kafka}))


@pytest.fixture
async def kafkaless() -> AsyncIterator[httpx.AsyncClient]:
    """An ingress without Kafka: enough for what is refused before anything is published."""
    async with running(without_kafka()) as client:
        yield client


@pytest.fixture
def read(bootstrap_servers: str, topics: dict[str, str]) -> Reader:
    """Everything that is on a topic (short name) now."""

    async def all_of(name: str) -> list[ConsumerRecord[bytes, bytes]]:
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, isolation_level="read_committed")
        await consumer.start()
        try:
            async with asyncio.timeout(READ_DEADLINE_S):
                return await drain(consumer, topics[name])
        finally:
            await consumer.stop()

    return all_of


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    cluster = await consumer._client.fetch_all_metadata()
    return [TopicPartition(topic, number) for number in cluster.partitions_for_topic(topic)]


async def drain(consumer: AIOKafkaConsumer, topic: str) -> list[ConsumerRecord[bytes, bytes]]:
    """Everything that is on a topic (full name) now."""
    partitions = await _partitions(consumer, topic)
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    ends = await consumer.end_offsets(partitions)
    found: list[ConsumerRecord[bytes, bytes]] = []
    while len(found) < sum(ends.values()):
        for records in (await consumer.getmany(timeout_ms=200)).values():
            found += records
    return found
