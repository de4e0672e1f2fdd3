"""A bare pipeline: how fast Python can move records through both servers at all, with no logic between.

`getmany` of 2,000, COPY into the tables and the offsets in one Postgres transaction, the events and the
offsets in one Kafka transaction, one after the other. It finds no duplicates, forgets at a restart who is
known and whose turn it is, and cannot be taken over: what is left when everything else is taken away.
"""

from __future__ import annotations

import asyncio

import asyncpg
import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder

from bench.peers.bare_batch import BareBatch
from bench.peers.rows import COLUMNS
from bench.peers.values import Letter
from config.settings import Settings, load_settings
from config.topics import INBOUND
from workers.runtime.handler import Connection
from workers.runtime.topology import Topology

BATCH_RECORDS = 2_000
BATCH_BYTES = 262_144
PRODUCERS = 2
"""In turn: aiokafka waits 20 ms when a producer begins right after its last transaction."""

_KEEP_OFFSETS = """
INSERT INTO lane (kind, id, next_offsets)
SELECT 'bare', id, offsets::jsonb FROM unnest($1::int[], $2::text[]) AS t(id, offsets)
ON CONFLICT (kind, id) DO UPDATE SET next_offsets = excluded.next_offsets, batch_no = lane.batch_no + 1
"""


async def run(settings: Settings) -> None:
    """Drain inbound until the process is stopped."""
    prefix = settings.kafka.topic_prefix
    partitions = INBOUND.partitions(settings.kafka)
    topology = Topology(prefix, {"messages": partitions, "assignments": partitions})
    connection = await asyncpg.connect(settings.postgres.dsn.get_secret_value())
    producers = [_producer(settings, f"{prefix}-bare-{number}") for number in range(PRODUCERS)]
    consumer = AIOKafkaConsumer(
        INBOUND.full_name(prefix),
        **settings.kafka.client_options(),
        group_id=f"{prefix}.bare",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_bytes=8 * 1_048_576,
        max_partition_fetch_bytes=2 * 1_048_576,
    )
    for client in (*producers, consumer):
        await client.start()
    batch, turn = BareBatch(), 0
    while True:
        fetched = await consumer.getmany(timeout_ms=500, max_records=BATCH_RECORDS)
        if not fetched:
            continue
        offsets = {partition: records[-1].offset + 1 for partition, records in fetched.items()}
        batch.fill(record for records in fetched.values() for record in records)
        await _store(connection, batch, offsets)
        await _publish(producers[turn], topology, batch.letters, offsets, f"{prefix}.bare")
        turn = (turn + 1) % PRODUCERS


def _producer(settings: Settings, transactional_id: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        **settings.kafka.client_options(),
        transactional_id=transactional_id,
        acks="all",
        retry_backoff_ms=5,
        max_batch_size=BATCH_BYTES,
    )


async def _store(connection: Connection, batch: BareBatch, offsets: dict[TopicPartition, int]) -> None:
    lanes = [partition.partition for partition in offsets]
    next_offsets = [orjson.dumps({"inbound": offset}).decode() for offset in offsets.values()]
    async with connection.transaction():
        for table, rows in batch.rows.items():
            if rows:
                await connection.copy_records_to_table(table, columns=COLUMNS[table], records=rows)
        await connection.execute(_KEEP_OFFSETS, lanes, next_offsets)


async def _publish(
    producer: AIOKafkaProducer,
    topology: Topology,
    letters: list[Letter],
    offsets: dict[TopicPartition, int],
    group: str,
) -> None:
    by_partition: dict[tuple[str, int], list[Letter]] = {}
    for letter in letters:
        place = topology.full_name(letter.topic), topology.partition(letter.topic, letter.key)
        by_partition.setdefault(place, []).append(letter)
    async with producer.transaction():
        sending = [
            await producer.send_batch(builder, topic, partition=partition)
            for (topic, partition), list_ in by_partition.items()
            for builder in _batches(producer, list_)
        ]
        await producer.send_offsets_to_transaction(offsets, group)
        await asyncio.gather(*sending)


def _batches(producer: AIOKafkaProducer, letters: list[Letter]) -> list[BatchBuilder]:
    batches = [producer.create_batch()]
    for letter in letters:
        fields = {"timestamp": None, "key": letter.key, "value": letter.value, "headers": letter.headers}
        if batches[-1].append(**fields) is None:
            batches.append(producer.create_batch())
            batches[-1].append(**fields)
    return batches


if __name__ == "__main__":
    uvloop.run(run(load_settings()))
