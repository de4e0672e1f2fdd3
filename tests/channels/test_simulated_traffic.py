"""The simulator against the real ingress and a real Kafka: what is answered 200 is there, in its order."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord

from config.ingress import IngressSettings
from config.settings import Settings
from config.topics_apply import apply_topics
from schemas.envelope import header
from tests.channels.conftest import Reader, drain, running, until_ready, with_ingress
from tests.channels.webhooks import APPS
from workers.local.kafka import EmbeddedKafka
from workers.local.simulator.mix import Mix
from workers.local.simulator.simulator import Simulator

pytestmark = pytest.mark.servers

DEADLINE_S = 30.0
PAGES = ("messenger:1048", "messenger:1049", "zalo:5797")
ODD = Mix(receipt=0.1, unreadable=0.05, unknown_page=0.05, unknown_kind=0.05, duplicate=0.1, pair=0.1)


@pytest.fixture
def apps() -> IngressSettings:
    return IngressSettings.model_validate(
        {"messenger_apps": APPS["messenger_apps"][1:], "zalo_apps": APPS["zalo_apps"][1:]}
    )


def messages(records: list[ConsumerRecord[bytes, bytes]]) -> dict[str, list[str]]:
    """Ids of the known pages' messages by conversation, in the log's order, each once."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for record in records:
        value = orjson.loads(record.value)
        if "channel_message_id" in value and f"{value['channel']}:{value['account']}" in PAGES:
            found[record.key.decode()][value["channel_message_id"]] = None
    return {key: list(ids) for key, ids in found.items()}


async def test_what_is_answered_200_is_on_kafka(
    ingress: httpx.AsyncClient, read: Reader, apps: IngressSettings
) -> None:
    play = Simulator(str(ingress.base_url), apps, PAGES, rate_per_s=500, mix=ODD)
    ledger = await play.run(messages=300)
    summary = ledger.summary()
    assert summary["accepted"] == summary["posted"] >= 300
    assert (summary["refused"], summary["given_up"]) == (0, 0)
    assert messages(await read("inbound")) == ledger.accepted_by_conversation()
    letters = Counter(header(letter.headers, "deadletter_reason") for letter in await read("deadletter"))
    assert letters == {b"unreadable": summary["unreadable"], b"unknown_event": summary["unknown_kind"]}


async def until(client: httpx.AsyncClient, reached: Callable[[], bool]) -> None:
    """Return once it is so; the ingress answers meanwhile."""
    async with asyncio.timeout(DEADLINE_S):
        while not reached():
            assert (await client.get("/healthz")).status_code == 200


@pytest.mark.slow
async def test_nothing_is_lost_while_the_broker_is_frozen(server_dir: Path, apps: IngressSettings) -> None:
    async with EmbeddedKafka(server_dir / "kafka") as kafka:
        cluster = {
            "bootstrap_servers": kafka.bootstrap_servers,
            "conversation_partitions": 2,
            "desk_partitions": 1,
        }
        settings = with_ingress(Settings.model_validate({"kafka": cluster}))
        await apply_topics(settings)
        async with running(settings) as client:
            await until_ready(client)
            play = Simulator(str(client.base_url), apps, PAGES, rate_per_s=200, mix=ODD)
            traffic = asyncio.create_task(play.run(messages=500))
            await until(client, lambda: play.ledger.count_accepted() > 100)
            os.kill(kafka.pid, signal.SIGSTOP)
            try:
                await until(client, lambda: play.ledger.answers["503"] > 0)
            finally:
                os.kill(kafka.pid, signal.SIGCONT)
            ledger = await traffic
        async with AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers) as consumer:
            found = messages(await drain(consumer, "tongdai.inbound.v1"))
    assert ledger.answers["503"] > 0
    assert ledger.count_accepted() == ledger.count_posted() >= 500
    assert found == ledger.accepted_by_conversation()
