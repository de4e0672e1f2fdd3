"""What a connector was to carry, and what it has told of it: from outbound and receipts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import orjson
from aiokafka import ConsumerRecord, TopicPartition

from config.settings import Settings
from config.topics import OUTBOUND, RECEIPTS
from schemas.base import OUR_CHANNELS
from schemas.envelope import Kind, header
from schemas.ids import channel_of, page_of
from workers.channels.topic_reader import TopicReader
from workers.conformance.carrying import Asked, Carrying
from workers.conformance.seen import Seen

POLL_S = 0.25
SEND, CARRIED = (kind.ce_type.encode() for kind in (Kind("outbound", "send"), Kind(RECEIPTS.name, "carried")))


def topics(settings: Settings) -> list[str]:
    """The full names of those that a reader for `gather` reads."""
    return [topic.full_name(settings.kafka.topic_prefix) for topic in (OUTBOUND, RECEIPTS)]


class Answers:
    """Collects what was asked and told of pages that connectors carry; at most so much of each.

    Args:
        page: of which; none: of all.
        limit: so many answers, and so many receipts.
    """

    def __init__(self, page: str | None, limit: int) -> None:
        self.asked: list[Asked] = []
        self.told: list[Seen] = []
        self._page = page
        self._limit = limit

    def take(self, record: ConsumerRecord) -> None:
        """Keep it, when it is one of them."""
        what, key = header(record.headers, "ce_type"), (record.key or b"").decode(errors="replace")
        if not self._is_wanted(page_of(key)):
            return
        where = f"{record.partition}-{record.offset}"
        if what == SEND and len(self.asked) < self._limit:
            self.asked.append(Asked(where, key, orjson.loads(record.value or b"{}")["message"]))
        elif what == CARRIED and len(self.told) < self._limit:
            value, headers = record.value or b"", record.headers
            self.told.append(Seen(where, record.key, value, headers, topic=RECEIPTS.name))

    @property
    def are_told(self) -> bool:
        """Whether something was told of each."""
        return {each.message for each in self.asked} <= {each.answer for each in self.told}

    def _is_wanted(self, page: str) -> bool:
        return channel_of(page) not in OUR_CHANNELS if self._page is None else page == self._page


async def gather(
    reader: TopicReader, begins: Mapping[TopicPartition, int], page: str | None, limit: int, wait_s: float
) -> Carrying | None:
    """What lies from `begins` on, when each answer is told of or the time is over.

    None: no connector carries answers here. Raises `TimeoutError` when Kafka is silent.
    """
    if page is not None and channel_of(page) in OUR_CHANNELS:
        return None
    answers, ends_s = Answers(page, limit), time.monotonic() + wait_s
    while True:
        ends = await reader.ends()
        async for record in reader.read({each: begins.get(each, ends[each]) for each in ends}, ends):
            answers.take(record)
        begins = ends
        if answers.are_told or time.monotonic() >= ends_s:
            break
        await asyncio.sleep(POLL_S)
    is_any = page is not None or answers.asked or answers.told
    return Carrying(answers.asked, answers.told) if is_any else None
