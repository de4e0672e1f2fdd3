"""A bare hop: consume, produce in a transaction with the offsets, and nothing between.

`python -m bench.peers.hop FROM TO`: short names of two topics. Each hop is a process, as each of ours is.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from config.settings import Settings, load_settings

BATCH_RECORDS = 2_000
PRODUCERS = 2
"""In turn: aiokafka waits 20 ms when a producer begins right after its last transaction."""
FETCH_WAIT_MS = 50


async def run(settings: Settings, source: str, target: str) -> None:
    """Send on what comes, until the process is stopped."""
    prefix = settings.kafka.topic_prefix
    group, topic = f"{prefix}.hop-{target}", f"{prefix}.{target}.v1"
    producers = [_producer(settings, f"{group}-{number}") for number in range(PRODUCERS)]
    consumer = AIOKafkaConsumer(
        f"{prefix}.{source}.v1",
        **settings.kafka.client_options(),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_max_wait_ms=FETCH_WAIT_MS,
    )
    for client in (*producers, consumer):
        await client.start()
    turn = 0
    while True:
        fetched = await consumer.getmany(timeout_ms=500, max_records=BATCH_RECORDS)
        if fetched:
            await _send_on(producers[turn], fetched, topic, group)
            turn = (turn + 1) % PRODUCERS


def _producer(settings: Settings, transactional_id: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        **settings.kafka.client_options(),
        transactional_id=transactional_id,
        acks="all",
        retry_backoff_ms=5,
    )


async def _send_on(
    producer: AIOKafkaProducer,
    fetched: dict[TopicPartition, list[ConsumerRecord]],
    topic: str,
    group: str,
) -> None:
    async with producer.transaction():
        sending = [
            await producer.send(topic, value=record.value, key=record.key, headers=list(record.headers))
            for records in fetched.values()
            for record in records
        ]
        offsets = {partition: records[-1].offset + 1 for partition, records in fetched.items()}
        await producer.send_offsets_to_transaction(offsets, group)
        await asyncio.gather(*sending)


if __name__ == "__main__":
    uvloop.run(run(load_settings(), *sys.argv[1:3]))
