"""How far the workers are behind: what their groups have published against what is on their inputs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from config.errors import DependencyError
from config.settings import Settings
from config.topics import ACTIONS, ASSIGNMENTS, COMMANDS, INBOUND, MESSAGES, RECEIPTS, Topic
from workers.local.demo.log import Log, open_log

GROUPS: Mapping[str, Sequence[Topic]] = {
    "intake": (ASSIGNMENTS, ACTIONS, INBOUND),
    "desk": (COMMANDS,),
    "notifier": (ASSIGNMENTS, MESSAGES, RECEIPTS),
}
_INPUTS = tuple({topic.name: topic for inputs in GROUPS.values() for topic in inputs}.values())
POLL_S = 0.1


class Lags:
    """Asks again and again over one connection."""

    def __init__(self, admin: AIOKafkaAdminClient, log: Log, settings: Settings) -> None:
        self._admin = admin
        self._log = log
        self._settings = settings

    async def read(self) -> dict[str, int]:
        """Records that wait, by group. Raises DependencyError when Kafka does not answer."""
        # Published first: what is read later is never behind it, so that a lag of zero is one.
        published = {group: await self._published(group) for group in GROUPS}
        ends = await self._log.ends()
        return {group: self._lag(inputs, published[group], ends) for group, inputs in GROUPS.items()}

    async def until_none(self) -> None:
        """Wait until nothing waits, also while Kafka is away; the deadline is the caller's."""
        while await self.read_or_none() != dict.fromkeys(GROUPS, 0):  # noqa: ASYNC110 - asked of Kafka
            await asyncio.sleep(POLL_S)

    async def read_or_none(self) -> dict[str, int] | None:
        """The same as `read`; None when Kafka does not answer now."""
        try:
            return await self.read()
        except DependencyError:
            return None

    async def _published(self, group: str) -> dict[TopicPartition, int]:
        kafka, deadline_s = self._settings.kafka, self._settings.runtime.kafka_deadline_s
        try:
            async with asyncio.timeout(deadline_s):
                found = await self._admin.list_consumer_group_offsets(
                    f"{kafka.topic_prefix}.{group}", partitions=self._partitions(GROUPS[group])
                )
        except (KafkaError, TimeoutError) as error:
            raise DependencyError(f"Kafka at {kafka.bootstrap_servers} does not answer.") from error
        return {partition: max(entry.offset, 0) for partition, entry in found.items()}

    def _lag(
        self,
        inputs: Sequence[Topic],
        published: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
    ) -> int:
        return sum(max(0, ends[each] - published[each]) for each in self._partitions(inputs))

    def _partitions(self, topics: Sequence[Topic]) -> list[TopicPartition]:
        names = {topic.full_name(self._settings.kafka.topic_prefix) for topic in topics}
        return [partition for partition in self._log.partitions if partition.topic in names]


@asynccontextmanager
async def open_lags(settings: Settings) -> AsyncIterator[Lags]:
    """Yield somebody to ask. Raises DependencyError when Kafka does not answer."""
    admin = AIOKafkaAdminClient(**settings.kafka.client_options())
    async with open_log(settings, _INPUTS) as log:
        try:
            async with asyncio.timeout(settings.runtime.kafka_deadline_s):
                await admin.start()
            yield Lags(admin, log, settings)
        finally:
            await admin.close()
