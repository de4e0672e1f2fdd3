"""The topics as the demo reads them: committed records only, without a group, beside the workers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from aiokafka import ConsumerRecord, TopicPartition

from config.settings import Settings
from config.topics import Topic
from workers.channels.topic_reader import Offsets, TopicReader, answering, reading

FETCH_WAIT_MS = 100
"""aiokafka asks for a partition just drained only after the long poll of the others."""


class Log:
    """Some topics, by their short names. What it is asked raises DependencyError when Kafka is silent."""

    def __init__(self, reader: TopicReader, settings: Settings, topics: Sequence[Topic]) -> None:
        self._reader = reader
        self._settings = settings
        self._names = {topic.full_name(settings.kafka.topic_prefix): topic.name for topic in topics}

    @property
    def partitions(self) -> Sequence[TopicPartition]:
        """The partitions that are read."""
        return self._reader.partitions

    async def ends(self) -> dict[TopicPartition, int]:
        """The offset behind the last committed record of each partition."""
        async with _answering(self._settings):
            return await self._reader.ends()

    async def follow(self, begins: Offsets) -> AsyncIterator[tuple[str, ConsumerRecord]]:
        """Short topic names and records as they come, without end."""
        async for record in self._reader.follow(begins):
            yield self._names[record.topic], record

    async def read(self, begins: Offsets, ends: Offsets) -> AsyncIterator[tuple[str, ConsumerRecord]]:
        """Short topic names and records from `begins` up to before `ends`."""
        async with _answering(self._settings):
            async for record in self._reader.read(begins, ends):
                yield self._names[record.topic], record

    async def passed(self, ends: Offsets) -> bool:
        """Whether whoever follows has seen everything up to before `ends`."""
        return await self._reader.passed(ends)


@asynccontextmanager
async def open_log(
    settings: Settings, topics: Sequence[Topic], *, only: int | None = None
) -> AsyncIterator[Log]:
    """Yield a reader of these topics, or of the partition of this number of each.

    Raises DependencyError when Kafka does not answer, TongdaiError when a topic is missing.
    """
    names = [topic.full_name(settings.kafka.topic_prefix) for topic in topics]
    async with AsyncExitStack() as stack:
        async with _answering(settings):
            opening = reading(settings, names, only=only, fetch_wait_ms=FETCH_WAIT_MS)
            reader = await stack.enter_async_context(opening)
        yield Log(reader, settings, topics)


def _answering(settings: Settings) -> AbstractAsyncContextManager[None]:
    return answering(settings.kafka, settings.runtime.kafka_deadline_s)
