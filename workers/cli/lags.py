"""How far each group of workers is behind: what it has published against what is committed on its inputs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)
from aiokafka.structs import OffsetAndMetadata

from config.settings import Settings
from config.topics import ACTIONS, ASSIGNMENTS, COMMANDS, INBOUND, MESSAGES, OUTBOUND, RECEIPTS, Topic
from workers.channels.topic_reader import TopicReader, answering, open_reader

RETRY_S = 0.1

GROUPS: Mapping[str, Sequence[Topic]] = {
    "intake": (ASSIGNMENTS, ACTIONS, INBOUND),
    "desk": (COMMANDS,),
    "notifier": (ASSIGNMENTS, MESSAGES, RECEIPTS),
    "delivery": (OUTBOUND, RECEIPTS),
}
"""The inputs of each group, by its last word."""


@dataclass(frozen=True, slots=True)
class TopicLag:
    """One input of one group.

    A partition of which the group has published nothing counts from its beginning. Records of a transaction
    that has not ended, and what lies behind them, are no lag: nobody can read them yet; they are held back.
    """

    group: str
    topic: str
    partitions: int
    lag_sum: int
    lag_max: int
    held_back_sum: int


async def read_lags(settings: Settings) -> list[TopicLag]:
    """The lag of every group on every input.

    Raises `DependencyError` when Kafka does not answer, `TongdaiError` when a topic is missing.
    """
    prefix = settings.kafka.topic_prefix
    names = sorted({topic.full_name(prefix) for inputs in GROUPS.values() for topic in inputs})
    async with open_reader(settings, names) as reader:
        # Published first: what is read later is never behind it.
        published = {group: await _published(settings, f"{prefix}.{group}", reader) for group in GROUPS}
        begins, ends, highest = await reader.begins(), await reader.ends(), await reader.highest()
    return [
        _lag(f"{prefix}.{group}", topic.full_name(prefix), published[group], begins, ends, highest)
        for group, inputs in GROUPS.items()
        for topic in inputs
    ]


def _lag(
    group: str,
    topic: str,
    published: Mapping[TopicPartition, int],
    begins: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    highest: Mapping[TopicPartition, int],
) -> TopicLag:
    lags = [
        max(0, end - published.get(partition, begins[partition]))
        for partition, end in ends.items()
        if partition.topic == topic
    ]
    held_back = sum(max(0, highest[each] - end) for each, end in ends.items() if each.topic == topic)
    return TopicLag(group, topic, len(lags), sum(lags), max(lags, default=0), held_back)


async def _published(settings: Settings, group: str, reader: TopicReader) -> dict[TopicPartition, int]:
    deadline_s = settings.runtime.kafka_deadline_s
    admin = AIOKafkaAdminClient(**settings.kafka.client_options())
    async with answering(settings.kafka, deadline_s):
        try:
            async with asyncio.timeout(deadline_s):
                await admin.start()
                found = await _ask(admin, group, reader.partitions)
        finally:
            await admin.close()
    return {partition: entry.offset for partition, entry in found.items() if entry.offset >= 0}


async def _ask(
    admin: AIOKafkaAdminClient, group: str, partitions: Sequence[TopicPartition]
) -> Mapping[TopicPartition, OffsetAndMetadata]:
    """Ask until there is an answer; the deadline is the caller's."""
    while True:
        try:
            found: Mapping[TopicPartition, OffsetAndMetadata] = await admin.list_consumer_group_offsets(
                group, partitions=list(partitions)
            )
        except (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError, GroupLoadInProgressError):
            # Kafka has just started, or makes its own topic of offsets for the very first group.
            await asyncio.sleep(RETRY_S)
        else:
            return found
