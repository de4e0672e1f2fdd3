"""Builds Java's start-up cache of Kafka: a node is started, used a little and stopped, and Java writes down
what it had loaded and linked. A start with the cache takes half the time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from workers.local.cache import cache_lock
from workers.local.kafka import EmbeddedKafka
from workers.local.kafka_java import start_up_cache

TOPIC = "training"
GROUP = "training"
# At its end Java writes the cache with a second Java.
WRITE_TIMEOUT_S = 180.0


async def build_start_up_cache() -> Path:
    """The cache's file; built when it is not there, which takes about fifteen seconds.

    Raises:
        LocalServerError: Kafka could not be started.
    """
    cache = start_up_cache()
    with cache_lock():
        if not cache.exists():
            await _train(cache)
    return cache


async def _train(cache: Path) -> None:
    unfinished = cache.with_name(f"{cache.stem}-{os.getpid()}.aot")
    with tempfile.TemporaryDirectory(prefix="tongdai-training-") as folder:
        kafka = EmbeddedKafka(Path(folder), java_options=[f"-XX:AOTCacheOutput={unfinished}"])
        await kafka.start()
        try:
            await _use(kafka.bootstrap_servers)
        finally:
            await kafka.stop(WRITE_TIMEOUT_S)
    unfinished.replace(cache)


async def _use(bootstrap_servers: str) -> None:
    """What every worker does first: a topic, a group, a transaction with an offset."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    await admin.close()
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=bootstrap_servers,
        group_id=GROUP,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
    )
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, transactional_id=TOPIC)
    async with consumer, producer:
        async with producer.transaction():
            await producer.send_and_wait(TOPIC, b"value", b"key")
            await producer.send_offsets_to_transaction({TopicPartition(TOPIC, 0): 1}, GROUP)
        await consumer.getone()
