"""Clients end that cannot reach their broker, and leave nothing behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import aiokafka.client
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from config.settings import Settings
from config.topics import MESSAGES
from faults.proxy import Way, Wire
from faults.requests import KafkaRequests
from tests.waiting import eventually
from workers.runtime.batch import Event
from workers.runtime.ending import end_consumer
from workers.runtime.protocol import Outcome
from workers.runtime.term import GroupOffsets, Term
from workers.runtime.topology import Topology

pytestmark = pytest.mark.servers

NEVER_MS = 100_000
OFFSETS: GroupOffsets = {0: (1, {"inbound": 1})}
EVENT = Event("messages", 0, b"key", b"value", [("ce_id", b"1")])


@pytest.fixture
async def wire(bootstrap_servers: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Wire]:
    """Between every client of this process and the broker."""
    wire = Wire(int(bootstrap_servers.rpartition(":")[2]), KafkaRequests, Random(1))
    await wire.open()
    connect = aiokafka.client.create_conn

    async def by_wire(host: str, _: int, **named: Any) -> Any:  # noqa: ANN401 - aiokafka's
        return await connect(host, wire.port, **named)

    monkeypatch.setattr(aiokafka.client, "create_conn", by_wire)
    yield wire
    await wire.close()


async def all_gone(wire: Wire) -> None:
    """Wait until nobody is connected any more."""

    async def gone() -> bool:
        return not wire.connections

    await eventually(gone, "nobody is connected any more", deadline_s=5.0)


async def test_a_producer_whose_broker_says_nothing(
    settings: Settings, topics: dict[str, str], wire: Wire
) -> None:
    del topics
    runtime = settings.runtime.model_copy(update={"kafka_deadline_s": 1.0})
    settings = settings.model_copy(update={"runtime": runtime})
    topology = Topology(settings.kafka.topic_prefix, {"messages": MESSAGES.partitions(settings.kafka)})
    term = await Term.begin("intake", topology, settings)
    assert await term.publish([EVENT], OFFSETS) is Outcome.OK
    wire.silence(*Way)
    assert await term.publish([EVENT], OFFSETS) is Outcome.UNKNOWN
    await term.end()
    wire.heal()
    await all_gone(wire)


async def test_a_consumer_that_waits_before_it_fetches_again(
    bootstrap_servers: str, topics: dict[str, str], wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, retry_backoff_ms=NEVER_MS)
    await consumer.start()
    partition = TopicPartition(topics["messages"], 0)
    consumer.assign([partition])
    consumer.seek(partition, 0)

    async def fetch_failed() -> bool:
        wire.reset()
        return "Failed fetch" in caplog.text

    await eventually(fetch_failed, "a fetch has failed")
    await end_consumer(consumer, deadline_s=10.0)
    await all_gone(wire)


async def test_a_consumer_whose_broker_says_nothing(
    bootstrap_servers: str, topics: dict[str, str], topic_prefix: str, wire: Wire
) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, group_id=topic_prefix)
    await consumer.start()
    consumer.subscribe([topics["messages"]])
    await consumer.getmany(timeout_ms=100)
    wire.silence(*Way)
    await end_consumer(consumer, deadline_s=0.5)
    wire.heal()
    await all_gone(wire)
