"""Reads topics from their beginnings to their ends, `read_committed`, for code that is not asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from checker.record import LogRecord
from checker.source import Committed
from checker.topic_ids import topic_id

T = TypeVar("T")
DEADLINE_S = 60.0
_POLL_MS = 200
_FETCH_WAIT_MS = 50
"""Short: a partition that has ended must not make the others wait."""
_FETCH_BYTES = 32 << 20
_PARTITION_BYTES = 4 << 20


class UnreadableTopicError(RuntimeError):
    """A topic is missing, or cannot be read from its beginning to its end."""


class Topics:
    """The topics under one prefix.

    Raises aiokafka.errors.KafkaError when the servers cannot be reached; every call has a deadline.
    """

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self._servers = bootstrap_servers
        self._prefix = prefix
        self._loop = asyncio.new_event_loop()
        self._parts: dict[str, list[TopicPartition]] = {}
        self._admin: AIOKafkaAdminClient = self._run(self._started_admin())
        self._asker: AIOKafkaConsumer = self._run(self._started_consumer([]))
        self._uncommitted_asker = self._run(self._started_consumer([], isolation="read_uncommitted"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._asker.stop())
        self._run(self._uncommitted_asker.stop())
        self._run(self._admin.close())
        self._loop.close()

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has."""
        return len(self._partitions_of(topic))

    def log_id(self, topic: str) -> str:
        """Kafka's own id of the topic."""
        return self._run(topic_id(self._admin, self._partitions_of(topic)[0].topic))

    def ends(self, topic: str) -> dict[int, int]:
        """The offset after the last committed record or marker, by partition."""
        ends = self._run(self._asker.end_offsets(self._partitions_of(topic)))
        return {part.partition: offset for part, offset in ends.items()}

    def held_back(self, topic: str) -> dict[int, int]:
        """How many offsets lie behind the beginning of a transaction that has no end, by partition."""
        parts = self._partitions_of(topic)
        stable = self._run(self._asker.end_offsets(parts))
        highest = self._run(self._uncommitted_asker.end_offsets(parts))
        return {part.partition: highest[part] - offset for part, offset in stable.items()}

    def committed(self, group: str) -> dict[tuple[str, int], Committed]:
        """The offsets of `<prefix>.<group>`, by short topic name and partition."""
        found = self._run(self._admin.list_consumer_group_offsets(f"{self._prefix}.{group}"))
        return {
            (part.topic.removeprefix(f"{self._prefix}.").removesuffix(".v1"), part.partition): Committed(
                entry.offset, entry.metadata
            )
            for part, entry in found.items()
        }

    def records(self, topic: str) -> Iterator[LogRecord]:
        """Every record of the topic.

        Raises UnreadableTopicError when its beginning is no longer kept, or nothing comes for a minute.
        """
        parts = self._partitions_of(topic)
        self._check_beginnings(topic, self._run(self._asker.beginning_offsets(parts)))
        ends = self._run(self._asker.end_offsets(parts))
        left = {part: end for part, end in ends.items() if end > 0}
        if left:
            yield from self._read(topic, left)

    def _read(self, topic: str, left: dict[TopicPartition, int]) -> Iterator[LogRecord]:
        """The records of the partitions, each up to its end."""
        consumer = self._run(self._started_consumer(sorted(left)))
        waits = 0
        try:
            while left:
                found = self._run(consumer.getmany(timeout_ms=_POLL_MS))
                for records in found.values():
                    yield from map(_record, records)
                left = {part: end for part, end in left.items() if self._run(consumer.position(part)) < end}
                waits = 0 if found else waits + 1
                if waits * _POLL_MS > DEADLINE_S * 1000:
                    raise UnreadableTopicError(f"{topic}: nothing more comes, though {left} has not ended")
        finally:
            self._run(consumer.stop())

    async def _started_admin(self) -> AIOKafkaAdminClient:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers)
        await admin.start()
        return admin

    async def _started_consumer(
        self, parts: list[TopicPartition], isolation: str = "read_committed"
    ) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._servers,
            enable_auto_commit=False,
            isolation_level=isolation,
            auto_offset_reset="none",
            fetch_max_bytes=_FETCH_BYTES,
            max_partition_fetch_bytes=_PARTITION_BYTES,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
        )
        await consumer.start()
        if parts:
            consumer.assign(parts)
            await consumer.seek_to_beginning(*parts)
        return consumer

    def _partitions_of(self, topic: str) -> list[TopicPartition]:
        if topic not in self._parts:
            name = f"{self._prefix}.{topic}.v1"
            # Of all topics: a request by name may create the one that it asks for.
            described = {found["topic"]: found for found in self._run(self._admin.describe_topics())}
            if name not in described:
                raise UnreadableTopicError(f"the topic {name} does not exist")
            numbers = sorted(part["partition"] for part in described[name]["partitions"])
            self._parts[topic] = [TopicPartition(name, number) for number in numbers]
        return self._parts[topic]

    @staticmethod
    def _check_beginnings(topic: str, beginnings: dict[TopicPartition, int]) -> None:
        gone = [part.partition for part, offset in beginnings.items() if offset > 0]
        if gone:
            raise UnreadableTopicError(
                f"{topic} is no longer kept from its beginning (partitions {gone}): nothing can be said of it"
            )

    def _run(self, call: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(asyncio.wait_for(call, DEADLINE_S))


def _record(record: Any) -> LogRecord:  # noqa: ANN401 - aiokafka has no types
    return LogRecord(
        record.partition, record.offset, record.timestamp, record.key, record.value, record.headers
    )
