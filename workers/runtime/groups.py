"""The consumer group's offsets with their metadata: what has been published."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from config.settings import Settings
from workers.runtime.failures import DependencyDownError
from workers.runtime.metadata import read_metadata
from workers.runtime.protocol import Group
from workers.runtime.topology import Topology

FOREIGN = -1
"""The batch number of offsets that no lane committed; it fits no row."""


@dataclass(slots=True)
class Groups:
    """Reads the offsets of one group, by the admin client: `consumer.committed()` drops their metadata."""

    group: str
    inputs: Sequence[str]
    topology: Topology
    settings: Settings

    async def read(self, lanes: Sequence[int]) -> dict[int, Group]:
        """What the group has published of each lane. Raises DependencyDownError."""
        admin = AIOKafkaAdminClient(**self.settings.kafka.client_options())
        try:
            async with asyncio.timeout(self.settings.runtime.kafka_deadline_s):
                await admin.start()
                return await self._read(admin, lanes)
        except (KafkaError, TimeoutError, OSError) as error:
            raise DependencyDownError(f"Kafka did not tell the offsets of {self.group}: {error!r}") from error
        finally:
            await admin.close()

    async def _read(self, admin: AIOKafkaAdminClient, lanes: Sequence[int]) -> dict[int, Group]:
        names = {topic: self.topology.full_name(topic) for topic in self.inputs}
        partitions = [TopicPartition(name, lane) for lane in lanes for name in names.values()]
        found = await admin.list_consumer_group_offsets(self.group, partitions=partitions)
        if len(found) < len(partitions):
            # aiokafka hides the answer's own error (NOT_COORDINATOR, …) and returns nothing.
            raise DependencyDownError(f"Kafka's coordinator of {self.group} did not tell its offsets")
        logs = await read_metadata(admin, list(names.values()))
        log_ids = {topic: str(logs[name].id) for topic, name in names.items() if name in logs}
        groups = {}
        for lane in lanes:
            committed = {
                topic: found[TopicPartition(name, lane)]
                for topic, name in names.items()
                if found[TopicPartition(name, lane)].offset >= 0
            }
            groups[lane] = Group(
                batch_no=_batch_no({entry.metadata for entry in committed.values()}),
                offsets={topic: entry.offset for topic, entry in committed.items()},
                log_ids=log_ids,
            )
        return groups


def _batch_no(metadata: set[str]) -> int | None:
    """The offsets of a lane are committed together; when their metadata differ, somebody else moved one."""
    if not metadata:
        return None
    text = metadata.pop()
    return int(text) if not metadata and text.isdecimal() else FOREIGN
