"""What topics still hold of a customer, and until when: records that name him, counted in all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from aiokafka import ConsumerRecord

from config.settings import Settings
from config.topics import CATALOGUE, SEGMENT_MS, Topic
from schemas.envelope import moment
from workers.cli.topic_reader import answering, open_reader


@dataclass(frozen=True, slots=True)
class Left:
    """One topic. `gone_at`: when the last of the records is gone at the latest; none: they stay for ever."""

    topic: str
    records: int
    first_at: datetime | None
    last_at: datetime | None
    gone_at: datetime | None


async def left_in_topics(settings: Settings, key: str, conversation: UUID) -> list[Left]:
    """Of each topic, by reading it from its beginning. Raises DependencyError when Kafka does not answer."""
    words = (key.encode(), str(conversation).encode())
    async with answering(settings.kafka, settings.runtime.kafka_deadline_s):
        return [await _left(settings, topic, words) for topic in CATALOGUE]


async def _left(settings: Settings, topic: Topic, words: tuple[bytes, ...]) -> Left:
    async with open_reader(settings, [topic.full_name(settings.kafka.topic_prefix)]) as reader:
        records = reader.read(await reader.begins(), await reader.ends())
        times_ms = [record.timestamp async for record in records if _names(record, words)]
    if not times_ms:
        return Left(topic.name, 0, None, None, None)
    last_at = moment(max(times_ms))
    gone_at = None
    if topic.retention_ms is not None:
        gone_at = last_at + timedelta(milliseconds=topic.retention_ms + SEGMENT_MS)
    return Left(topic.name, len(times_ms), moment(min(times_ms)), last_at, gone_at)


def _names(record: ConsumerRecord, words: tuple[bytes, ...]) -> bool:
    """Whether it is about him; of another whose id begins like his it may say so, too."""
    content = (record.key or b"") + b"\n" + (record.value or b"")
    return any(word in content for word in words)


def told(left: Left, now: datetime | None = None) -> str:
    """For a person: `inbound: 12 records, gone by 2026-11-30 08:15 UTC`."""
    if not left.records:
        return f"{left.topic}: nothing"
    counted = f"{left.topic}: {left.records} record{'' if left.records == 1 else 's'}"
    if left.gone_at is None:
        return f"{counted}, kept for ever: ids, tags and states; no words, no profile"
    left_days = (left.gone_at - (now or datetime.now(UTC))) / timedelta(days=1)
    return f"{counted}, gone by {left.gone_at:%Y-%m-%d %H:%M} UTC (in {max(left_days, 0):.1f} days)"
