"""What lanes have published, read back from the topics themselves: once for all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

from aiokafka import ConsumerRecord, TopicPartition

from config.settings import Settings
from config.topics import CATALOGUE
from schemas.envelope import header
from workers.runtime.identity import LaneName, identity, publisher
from workers.runtime.reader import looking_up, open_reader
from workers.runtime.spans import Spans, Tell, read_spans
from workers.runtime.topology import Topology
from workers.runtime.trail import READ_TO

SCAN_BACK_MS = 3_600_000
"""A producer's clock and the log's may differ; an event is looked for this much earlier."""


class Published(NamedTuple):
    """A committed event of a lane. `trail` is its header `read_to`, mostly empty."""

    lane: LaneName
    identity: str
    trail: bytes


async def read_published(
    settings: Settings, topology: Topology, since_ms: Mapping[LaneName, int], tell: Tell | None = None
) -> AsyncIterator[list[Published]]:
    """Each committed event of these lanes that was published since (about) its lane's moment, in portions.

    Reads every topic once. Raises StandstillError, DependencyDownError, KafkaError.
    """
    if not since_ms:
        return
    earliest = {lane: max(0, moment - SCAN_BACK_MS) for lane, moment in since_ms.items()}
    spans = await _spans(settings, _partitions(topology), min(earliest.values()))
    if not spans:
        return  # as when Kafka's data are gone
    async with open_reader(settings) as consumer:
        async for portion in read_spans(consumer, spans, tell):
            yield [
                found
                for partition, records in portion.items()
                for found in _of_lanes(topology.short_name(partition.topic), records, earliest)
            ]


def _of_lanes(
    topic: str, records: Sequence[ConsumerRecord], earliest: Mapping[LaneName, int]
) -> list[Published]:
    found = []
    for record in records:
        lane = publisher(topic, record.headers)
        if lane is not None and record.timestamp >= earliest.get(lane, record.timestamp + 1):
            trail = header(record.headers, READ_TO) or b""
            found.append(Published(lane, identity(topic, record.headers), trail))
    return found


async def _spans(settings: Settings, partitions: Sequence[TopicPartition], since_ms: int) -> Spans:
    """From where to where each partition is to be read; to its real end, not only to what can be read now."""
    async with looking_up(settings) as consumer:
        ends = await consumer.end_offsets(partitions)
        starts = await consumer.offsets_for_times(dict.fromkeys(partitions, since_ms))
    return {
        partition: (starts[partition].offset, ends[partition])
        for partition in partitions
        if starts[partition] is not None
    }


def _partitions(topology: Topology) -> list[TopicPartition]:
    return [
        TopicPartition(topology.full_name(topic.name), number)
        for topic in CATALOGUE
        for number in range(topology.partitions.get(topic.name, 0))
    ]
