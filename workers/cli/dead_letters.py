"""Reads the topic deadletter: the newest of it, or one letter."""

from __future__ import annotations

from collections import Counter

from aiokafka import TopicPartition

from config.errors import TongdaiError
from config.settings import Settings
from config.topics import DEADLETTER
from workers.channels.topic_reader import TopicReader, open_reader
from workers.cli.dead_letter import Letter, LetterId, Summary, open_letter, summarise

FIRST_LOOK_BACK = 200
LOOK_BACK_GROWTH = 4


async def read_newest(settings: Settings, limit: int, reason: str | None) -> list[Summary]:
    """The newest `limit` letters, newest first, of one reason or of any."""
    async with open_reader(settings, [_topic(settings)]) as reader:
        return await _read_backwards(reader, limit, reason)


async def read_letter(settings: Settings, id_: LetterId) -> Letter:
    """One letter. Raises `TongdaiError` when there is none under this id."""
    topic = _topic(settings)
    async with open_reader(settings, [topic]) as reader:
        partition = TopicPartition(topic, id_.partition)
        begins, ends = await reader.begins(), await reader.ends()
        if begins.get(partition, 0) <= id_.offset < ends.get(partition, 0):
            async for record in reader.read({partition: id_.offset}, {partition: id_.offset + 1}):
                return open_letter(record)
    raise TongdaiError(
        f"there is no dead letter {id_}: it has expired, or never was: see tongdai deadletter list"
    )


async def _read_backwards(reader: TopicReader, limit: int, reason: str | None) -> list[Summary]:
    """Look back piece by piece, larger each time, until every partition has shown enough or all it has."""
    begins = await reader.begins()
    highs = {each: end for each, end in (await reader.ends()).items() if end > begins[each]}
    found: list[Summary] = []
    counts: Counter[int] = Counter()
    size = max(limit, FIRST_LOOK_BACK)
    while highs:
        lows = {each: max(begins[each], high - size) for each, high in highs.items()}
        async for record in reader.read(lows, highs):
            summary = summarise(record)
            if reason in {None, summary.reason}:
                found.append(summary)
                counts[record.partition] += 1
        highs = {
            each: low for each, low in lows.items() if low > begins[each] and counts[each.partition] < limit
        }
        size *= LOOK_BACK_GROWTH
    found.sort(key=lambda each: each.deadlettered_at_ms, reverse=True)
    return found[:limit]


def _topic(settings: Settings) -> str:
    return DEADLETTER.full_name(settings.kafka.topic_prefix)
