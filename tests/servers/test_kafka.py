"""The embedded Kafka keeps what it has acknowledged, and says what is wrong when it cannot start."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from config.settings import Settings
from workers.local.errors import LocalServerError
from workers.local.kafka import EmbeddedKafka
from workers.local.kafka_java import quick_start_options
from workers.local.ports import LOOPBACK, free_port

pytestmark = pytest.mark.servers

TOPIC = "kept"

STARTS_AND_WAITS = """
import asyncio, sys
from pathlib import Path
from workers.local.kafka import EmbeddedKafka
from workers.local.kafka_java import quick_start_options

kafka = EmbeddedKafka(Path(sys.argv[1]), java_options=quick_start_options())
asyncio.run(kafka.start())
print(kafka.pid, flush=True)
sys.stdin.read()
"""


async def _produce(bootstrap_servers: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all") as producer:
        await producer.send_and_wait(TOPIC, value)


async def _values(bootstrap_servers: str, count: int) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest")
    async with consumer, asyncio.timeout(90):
        return [(await consumer.getone()).value for _ in range(count)]


async def _create_topic(bootstrap_servers: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    await admin.close()


@pytest.mark.slow
async def test_acknowledged_records_survive_a_kill_and_an_orderly_restart(server_dir: Path) -> None:
    async with EmbeddedKafka(server_dir / "kafka", java_options=quick_start_options()) as kafka:
        address, first_pid = kafka.bootstrap_servers, kafka.pid
        await _create_topic(address)
        await _produce(address, b"before the kill")
        await kafka.kill()
        await kafka.start()
        assert kafka.bootstrap_servers == address
        assert kafka.pid != first_pid
        await _produce(address, b"after it")
    async with EmbeddedKafka(server_dir / "kafka", java_options=quick_start_options()) as again:
        assert again.bootstrap_servers == address
        assert await _values(address, 2) == [b"before the kill", b"after it"]


async def test_a_failed_start_shows_the_end_of_the_log(server_dir: Path) -> None:
    kafka = EmbeddedKafka(server_dir / "kafka", overrides={"num.io.threads": "none"})
    with pytest.raises(LocalServerError, match=r"Invalid value none for configuration num\.io\.threads"):
        await kafka.start()
    with pytest.raises(LocalServerError, match="not running"):
        _ = kafka.pid


async def test_a_taken_port_is_named(server_dir: Path) -> None:
    port = free_port()
    with socket.create_server((LOOPBACK, port)), pytest.raises(LocalServerError, match=f"{port} is taken"):
        await EmbeddedKafka(server_dir / "kafka", port=port).start()


def test_the_node_dies_with_the_process_that_started_it(server_dir: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_WAITS, str(server_dir / "kafka")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    with starter:
        assert starter.stdout is not None
        node = os.pidfd_open(int(starter.stdout.readline()))
        starter.send_signal(signal.SIGKILL)
    try:
        asyncio.run(_wait_for_end(node))
    finally:
        os.close(node)


async def _wait_for_end(process_fd: int) -> None:
    """Returns when the process has ended: its descriptor becomes readable then."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(process_fd, ended.set)
    async with asyncio.timeout(90):
        await ended.wait()
    loop.remove_reader(process_fd)


async def test_what_kafka_notes_of_groups_and_transactions_is_in_small_segments(
    kafka_settings: Settings, topics: dict[str, str]
) -> None:
    servers, part = kafka_settings.kafka.bootstrap_servers, TopicPartition(topics["inbound"], 0)
    producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id="noted")
    async with producer, producer.transaction():
        await producer.send_offsets_to_transaction({part: 1}, "noted")
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    names = ("__consumer_offsets", "__transaction_state")
    (told,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    await admin.close()
    configs = {name: {entry[0]: entry[1] for entry in entries} for _, _, _, name, entries in told.resources}
    assert {configs[name]["segment.bytes"] for name in names} == {"1048576"}
    assert {configs[name]["delete.retention.ms"] for name in names} == {"60000"}
