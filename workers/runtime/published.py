"""What a lane has published, read back from the topics themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from config.settings import Settings
from config.topics import CATALOGUE
from schemas.envelope import header
from workers.runtime.identity import identity, is_of_lane
from workers.runtime.topology import Topology
from workers.runtime.trail import READ_TO

SCAN_BACK_MS = 3_600_000
"""A producer's clock and the log's may differ; an event is looked for this much earlier."""
READ_DEADLINE_S = 600.0

Spans = Mapping[TopicPartition, tuple[int, int]]
"""First offset and end."""


async def read_published(
    settings: Settings, topology: Topology, kind: str, lane: int, since_ms: int
) -> dict[str, bytes]:
    """Identity → trail of every committed event of this lane that was published since (about) `since_ms`.

    The trail is its header `read_to`, mostly empty.

    Reads every topic once. Waits for transactions that are open meanwhile, of whomever, since readers see
    nothing behind their beginnings. Raises TimeoutError when all that takes longer than ten minutes.
    """
    async with asyncio.timeout(READ_DEADLINE_S):
        spans = await _spans(settings, _partitions(topology), max(0, since_ms - SCAN_BACK_MS))
        if not spans:
            return {}  # as when Kafka's data are gone
        async with _consumer(settings, "read_committed") as consumer:
            return await _read(consumer, spans, topology, kind, lane)


async def _read(
    consumer: AIOKafkaConsumer, spans: Spans, topology: Topology, kind: str, lane: int
) -> dict[str, bytes]:
    consumer.assign(list(spans))
    for partition, (start, _) in spans.items():
        consumer.seek(partition, start)
    found: dict[str, bytes] = {}
    while any([await consumer.position(partition) < end for partition, (_, end) in spans.items()]):
        for partition, records in (await consumer.getmany(timeout_ms=500)).items():
            topic = topology.short_name(partition.topic)
            for record in records:
                if is_of_lane(topic, record.headers, kind, lane):
                    found[identity(topic, record.headers)] = header(record.headers, READ_TO) or b""
    return found


async def _spans(settings: Settings, partitions: Sequence[TopicPartition], since_ms: int) -> Spans:
    """From where to where each partition is to be read; to its real end, not only to what can be read now."""
    async with _consumer(settings, "read_uncommitted") as consumer:
        ends = await consumer.end_offsets(partitions)
        starts = await consumer.offsets_for_times(dict.fromkeys(partitions, since_ms))
    return {
        partition: (starts[partition].offset, ends[partition])
        for partition in partitions
        if starts[partition] is not None
    }


@asynccontextmanager
async def _consumer(settings: Settings, isolation_level: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        **settings.kafka.client_options(),
        isolation_level=isolation_level,
        enable_auto_commit=False,
        auto_offset_reset="none",
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


def _partitions(topology: Topology) -> list[TopicPartition]:
    return [
        TopicPartition(topology.full_name(topic.name), number)
        for topic in CATALOGUE
        for number in range(topology.partitions.get(topic.name, 0))
    ]
