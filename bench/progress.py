"""How far a contestant is, asked in ways that cost the machine next to nothing."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from config.settings import Settings
from config.topics import ASSIGNMENTS, INBOUND, Topic
from schemas.envelope import Kind, header
from workers.runtime.handler import Connection

ASSIGNED = Kind("assignments", "assigned").ce_type.encode()

_COUNT_ROWS = "SELECT count(*) FROM message"


class Progress(Protocol):
    """Tells how many messages are done."""

    async def done(self) -> int:
        """Messages that are stored so far."""

    async def close(self) -> None:
        """Let the connections go."""


class Offsets:
    """By the group's offsets on inbound: what is stored and published."""

    def __init__(self, settings: Settings, group: str) -> None:
        self._admin = AIOKafkaAdminClient(**settings.kafka.client_options())
        self._group = f"{settings.kafka.topic_prefix}.{group}"
        self._partitions = partitions(settings, INBOUND)
        self._started = False

    async def done(self) -> int:
        if not self._started:
            await self._admin.start()
            self._started = True
        try:
            found = await self._admin.list_consumer_group_offsets(self._group, partitions=self._partitions)
        except GroupCoordinatorNotAvailableError:
            return 0  # the broker's first group ever: it is still making the topic of the offsets
        return sum(max(0, entry.offset) for entry in found.values())

    async def close(self) -> None:
        await self._admin.close()


class Rows:
    """By the rows of `message`, for the slow ones."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def done(self) -> int:
        count: int = await self._connection.fetchval(_COUNT_ROWS)
        return count

    async def close(self) -> None:
        """The connection is the caller's."""


class Assigned:
    """Reads assignments as any consumer would: the conversations that are seen to have their agent."""

    def __init__(self, settings: Settings) -> None:
        self._consumer = AIOKafkaConsumer(
            **settings.kafka.client_options(), isolation_level="read_committed", enable_auto_commit=False
        )
        self._partitions = partitions(settings, ASSIGNMENTS)
        self._keys: set[bytes] = set()
        self.events = 0

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        self._consumer.assign(self._partitions)
        await self._consumer.seek_to_beginning()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    async def conversations(self) -> int:
        """How many there are by now."""
        for records in (await self._consumer.getmany(timeout_ms=0)).values():
            for record in records:
                if header(record.headers, "ce_type") == ASSIGNED:
                    self.events += 1
                    self._keys.add(record.key)
        return len(self._keys)


def partitions(settings: Settings, topic: Topic) -> list[TopicPartition]:
    """All partitions of a topic."""
    name = topic.full_name(settings.kafka.topic_prefix)
    return [TopicPartition(name, number) for number in range(topic.partitions(settings.kafka))]
