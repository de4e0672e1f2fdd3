"""From where a lane can read its inputs on, and what of them is lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from aiokafka import TopicPartition

from config.settings import Settings
from workers.runtime import protocol
from workers.runtime.ledger import StoredLane
from workers.runtime.reader import looking_up, open_reader
from workers.runtime.spans import Span, read_spans
from workers.runtime.topology import Topology


class Place(NamedTuple):
    """Where an input is read on. `lost`: how many records the log no longer has between there and the row.

    `is_cut`: the log lost its end, so that offsets which the lane has read are given to other records.
    """

    offset: int
    lost: int = 0
    is_cut: bool = False


def place_of(stored: int | None, bounds: Span, *, younger: int | None, is_other: bool) -> Place:
    """Where to read an input on that was `stored` as read so far (none: it was added in a later version).

    `bounds`: the log's first offset and its end. `younger`: the first record below `stored` that is younger
    than all that the lane has read. `is_other`: the topic was made again, and nobody knows how many records
    it had: all that were read count, one at least.
    """
    first, end = bounds
    if stored is None:
        return Place(first)
    if is_other:
        return Place(first, max(1, stored))
    if stored < first:
        return Place(first, first - stored)
    # Behind its lost end a log goes on with other records, perhaps beyond where the lane had been.
    reached = min(stored, end if younger is None else younger)
    return Place(reached, stored - reached, is_cut=reached < stored)


async def places(
    settings: Settings,
    topology: Topology,
    inputs: Sequence[str],
    lanes: Mapping[int, StoredLane],
) -> dict[int, dict[str, Place]]:
    """Of each of these lanes the place of each input.

    Raises DependencyDownError, StandstillError, KafkaError.
    """
    bounds = await _bounds(
        settings, [_partition(topology, topic, lane) for lane in lanes for topic in inputs]
    )
    others = {lane: protocol.made_again(each.row.log_ids, topology.ids) for lane, each in lanes.items()}
    read = {
        _partition(topology, topic, lane): (each.row.next_offsets[topic], each.at_ms)
        for lane, each in lanes.items()
        for topic in inputs
        if topic in each.row.next_offsets and topic not in others[lane]
    }
    younger = await _younger(settings, read, bounds)
    return {
        lane: {
            topic: place_of(
                each.row.next_offsets.get(topic),
                bounds[_partition(topology, topic, lane)],
                younger=younger.get(_partition(topology, topic, lane)),
                is_other=topic in others[lane],
            )
            for topic in inputs
        }
        for lane, each in lanes.items()
    }


async def _bounds(settings: Settings, partitions: Collection[TopicPartition]) -> dict[TopicPartition, Span]:
    async with looking_up(settings) as consumer:
        firsts = await consumer.beginning_offsets(list(partitions))
        ends = await consumer.end_offsets(list(partitions))
    return {partition: (firsts[partition], ends[partition]) for partition in partitions}


async def _younger(
    settings: Settings, read: Mapping[TopicPartition, tuple[int, int]], bounds: Mapping[TopicPartition, Span]
) -> dict[TopicPartition, int]:
    """The first record that is younger than a lane's clock (ms) though it lies below the lane's offset.

    The clock is the latest of what the lane has read: it has not read this one.
    """
    spans = await _suspects(settings, read, bounds)
    found: dict[TopicPartition, int] = {}
    if not spans:
        return found
    async with open_reader(settings) as consumer:
        async for portion in read_spans(consumer, spans):
            for partition, records in portion.items():
                offset, at_ms = read[partition]
                for record in records:
                    if record.offset < offset and record.timestamp > at_ms:
                        found.setdefault(partition, record.offset)
    return found


async def _suspects(
    settings: Settings, read: Mapping[TopicPartition, tuple[int, int]], bounds: Mapping[TopicPartition, Span]
) -> dict[TopicPartition, Span]:
    """What Kafka knows to be younger below the lanes' offsets: mostly nothing but transactions' markers."""
    if not read:
        return {}
    async with looking_up(settings) as consumer:
        since = await consumer.offsets_for_times({each: at_ms + 1 for each, (_, at_ms) in read.items()})
    ends = {partition: min(offset, bounds[partition][1]) for partition, (offset, _) in read.items()}
    return {
        partition: (entry.offset, ends[partition])
        for partition, entry in since.items()
        if entry is not None and entry.offset < ends[partition]
    }


def _partition(topology: Topology, topic: str, lane: int) -> TopicPartition:
    return TopicPartition(topology.full_name(topic), lane)
