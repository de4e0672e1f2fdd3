"""When Kafka does not answer, the platform is told so in time, and nothing is pretended."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from config.settings import Settings
from config.topics_apply import apply_topics
from tests.channels.conftest import drain, running, until_ready, with_ingress
from tests.channels.webhooks import Signed, messenger, said
from workers.local.kafka import EmbeddedKafka
from workers.local.ports import free_port

pytestmark = pytest.mark.servers

PATH = "/v1/webhooks/messenger"
ZALO_DEADLINE_S = 2.0
RECOVERY_DEADLINE_S = 60.0


@pytest.fixture
async def kafka(server_dir: Path) -> AsyncIterator[EmbeddedKafka]:
    """A Kafka of this test's own, to be broken."""
    async with EmbeddedKafka(server_dir / "kafka") as broker:
        yield broker


async def settings_of(broker: EmbeddedKafka) -> Settings:
    kafka = {
        "bootstrap_servers": broker.bootstrap_servers,
        "conversation_partitions": 2,
        "desk_partitions": 1,
    }
    settings = with_ingress(Settings.model_validate({"kafka": kafka}))
    await apply_topics(settings)
    return settings


async def post(client: httpx.AsyncClient, signed: Signed) -> httpx.Response:
    return await client.post(PATH, content=signed.body, headers=signed.headers)


def assert_told_to_come_back(response: httpx.Response) -> None:
    assert response.status_code == 503
    assert response.json()["type"] == "urn:tongdai:problem:unpublished"
    assert int(response.headers["retry-after"]) >= 1


async def post_until_taken(client: httpx.AsyncClient, signed: Signed) -> None:
    """As a platform does: again and again, until it is answered 200."""
    async with asyncio.timeout(RECOVERY_DEADLINE_S):
        while (await post(client, signed)).status_code != 200:
            await until_ready(client)


async def mids(broker: EmbeddedKafka) -> list[str]:
    async with AIOKafkaConsumer(bootstrap_servers=broker.bootstrap_servers) as consumer:
        records = await drain(consumer, "tongdai.inbound.v1")
    return [orjson.loads(record.value)["channel_message_id"] for record in records]


async def test_without_kafka_the_ingress_lives_but_is_not_ready() -> None:
    settings = with_ingress(
        Settings.model_validate({"kafka": {"bootstrap_servers": f"127.0.0.1:{free_port()}"}})
    )
    begun_s = time.monotonic()
    async with running(settings) as client:
        assert (await client.get("/healthz")).status_code == 200
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
        assert_told_to_come_back(await post(client, messenger(said())))
        assert (await post(client, Signed(b"{}", {}))).status_code == 403
    assert time.monotonic() - begun_s < 20


@pytest.mark.slow
async def test_a_frozen_broker_is_noticed_in_time_and_its_return_too(kafka: EmbeddedKafka) -> None:
    async with running(await settings_of(kafka)) as client:
        await until_ready(client)
        await post_until_taken(client, messenger(said("before")))
        os.kill(kafka.pid, signal.SIGSTOP)
        try:
            begun_s = time.monotonic()
            answers = await asyncio.gather(*(post(client, messenger(said(f"m_{each}"))) for each in range(5)))
            took_s = time.monotonic() - begun_s
            assert_told_to_come_back(await post(client, messenger(said("later"))))
            assert (await client.get("/readyz")).status_code == 503
        finally:
            os.kill(kafka.pid, signal.SIGCONT)
        for answer in answers:
            assert_told_to_come_back(answer)
        assert took_s < ZALO_DEADLINE_S
        for each in range(5):
            await post_until_taken(client, messenger(said(f"m_{each}")))
    found = await mids(kafka)
    assert set(found) - {"later"} == {"before", *(f"m_{each}" for each in range(5))}
    assert found.count("before") == 1


@pytest.mark.slow
async def test_a_killed_broker_is_survived_and_what_was_answered_200_is_kept(kafka: EmbeddedKafka) -> None:
    async with running(await settings_of(kafka)) as client:
        await until_ready(client)
        await post_until_taken(client, messenger(said("before")))
        await kafka.kill()
        assert_told_to_come_back(await post(client, messenger(said("after"))))
        await kafka.start()
        await post_until_taken(client, messenger(said("after")))
    assert set(await mids(kafka)) == {"before", "after"}


@pytest.mark.slow
async def test_the_ingress_stops_in_time_although_kafka_is_gone(kafka: EmbeddedKafka) -> None:
    settings = await settings_of(kafka)
    try:
        async with running(settings) as client:
            await until_ready(client)
            os.kill(kafka.pid, signal.SIGSTOP)
            assert_told_to_come_back(await post(client, messenger(said())))
            begun_s = time.monotonic()
        assert time.monotonic() - begun_s < 10
    finally:
        os.kill(kafka.pid, signal.SIGCONT)
