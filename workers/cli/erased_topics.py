"""What topics still hold of a customer, and until when: records that name him, counted in all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from aiokafka import ConsumerRecord

from config.settings import Settings
from config.topics import CATALOGUE, DEADLETTER, SEGMENT_MS, Topic
from schemas.deadletter import PREFIX
from schemas.envelope import header, moment
from schemas.ids import parts_of_key
from workers.channels.topic_reader import answering, open_reader


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
    named = Named(key, conversation)
    async with answering(settings.kafka, settings.runtime.kafka_deadline_s):
        return [await _left(settings, topic, named) for topic in CATALOGUE]


class Named:
    """Tells whether a record names a customer.

    Most have his key or his conversation's id. A webhook that ingress could not read lies in deadletter as
    its channel sent it: there his id and his page's stand apart, and in FChat's his alone.
    """

    def __init__(self, key: str, conversation: UUID) -> None:
        self._words = (key.encode(), str(conversation).encode())
        _, account, user = parts_of_key(key)
        self._page, self._person = _whole(account), _whole(user)

    def by(self, topic: Topic, record: ConsumerRecord) -> bool:
        """Of another whose id begins like his it may say so, too."""
        content = (record.key or b"") + b"\n" + (record.value or b"")
        if any(word in content for word in self._words):
            return True
        return topic is DEADLETTER and self._is_in_a_webhook(record, content)

    def _is_in_a_webhook(self, record: ConsumerRecord, content: bytes) -> bool:
        channel = (header(record.headers, f"{PREFIX}topic") or b"").partition(b"/")[2]
        if not channel or self._person.search(content) is None:
            return False
        return channel == b"fchat" or self._page.search(content) is not None


def _whole(id_: str) -> re.Pattern[bytes]:
    """An id that stands alone, as a JSON string or number or in an address."""
    return re.compile(rb"(?<![\w-])" + re.escape(id_.encode()) + rb"(?![\w-])")


async def _left(settings: Settings, topic: Topic, named: Named) -> Left:
    async with open_reader(settings, [topic.full_name(settings.kafka.topic_prefix)]) as reader:
        records = reader.read(await reader.begins(), await reader.ends())
        times_ms = [record.timestamp async for record in records if named.by(topic, record)]
    if not times_ms:
        return Left(topic.name, 0, None, None, None)
    last_at = moment(max(times_ms))
    gone_at = None
    if topic.retention_ms is not None:
        gone_at = last_at + timedelta(milliseconds=topic.retention_ms + SEGMENT_MS)
    return Left(topic.name, len(times_ms), moment(min(times_ms)), last_at, gone_at)


def told(left: Left, now: datetime | None = None) -> str:
    """For a person: `inbound: 12 records, gone by 2026-11-30 08:15 UTC`."""
    if not left.records:
        return f"{left.topic}: nothing"
    counted = f"{left.topic}: {left.records} record{'' if left.records == 1 else 's'}"
    if left.gone_at is None:
        return f"{counted}, kept for ever: ids, tags and states; no words, no profile"
    left_days = (left.gone_at - (now or datetime.now(UTC))) / timedelta(days=1)
    return f"{counted}, gone by {left.gone_at:%Y-%m-%d %H:%M} UTC (in {max(left_days, 0):.1f} days)"
