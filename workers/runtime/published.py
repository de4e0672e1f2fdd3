"""What a lane has published, read back from the topics themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition

from config.settings import Settings
from config.topics import CATALOGUE
from schemas.envelope import header
from workers.runtime.identity import identity, is_of_lane
from workers.runtime.topology import Topology

SCAN_BACK_MS = 3_600_000
"""A producer's clock and the log's may differ; an event is looked for this much earlier."""
READ_DEADLINE_S = 600.0


async def read_published(
    settings: Settings, topology: Topology, kind: str, lane: int, since_ms: int
) -> dict[str, str]:
    """Identity → `ce_time` of every committed event of this lane that was published since (about) `since_ms`.

    Reads every topic once; raises TimeoutError when that takes longer than ten minutes.
    """
    consumer = AIOKafkaConsumer(
        **settings.kafka.client_options(),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="none",
    )
    await consumer.start()
    try:
        async with asyncio.timeout(READ_DEADLINE_S):
            return await _read(consumer, topology, kind, lane, since_ms)
    finally:
        await consumer.stop()


async def _read(
    consumer: AIOKafkaConsumer, topology: Topology, kind: str, lane: int, since_ms: int
) -> dict[str, str]:
    ends = await _seek(consumer, _partitions(topology), max(0, since_ms - SCAN_BACK_MS))
    found: dict[str, str] = {}
    while any([await consumer.position(partition) < end for partition, end in ends.items()]):
        for partition, records in (await consumer.getmany(timeout_ms=500)).items():
            topic = topology.short_name(partition.topic)
            for record in records:
                if is_of_lane(topic, record.headers, kind, lane):
                    time = header(record.headers, "ce_time") or b""
                    found[identity(topic, record.headers)] = time.decode(errors="replace")
    return found


def _partitions(topology: Topology) -> list[TopicPartition]:
    return [
        TopicPartition(topology.full_name(topic.name), number)
        for topic in CATALOGUE
        for number in range(topology.partitions.get(topic.name, 0))
    ]


async def _seek(
    consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition], since_ms: int
) -> dict[TopicPartition, int]:
    """Position each partition at that time; returns the ends of those that have something to read."""
    all_ = list(partitions)
    consumer.assign(all_)
    ends: dict[TopicPartition, int] = await consumer.end_offsets(all_)
    starts = await consumer.offsets_for_times(dict.fromkeys(all_, since_ms))
    for partition in all_:
        start = starts[partition]
        consumer.seek(partition, start.offset if start is not None else ends[partition])
    return ends
