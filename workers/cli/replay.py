"""Appends a dead letter again to the topic it came from: once, however often it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka.errors import MessageSizeTooLargeError

from config.errors import TongdaiError, UsageError
from config.settings import Settings
from config.topics import ACTIONS, COMMANDS, INBOUND, OUTBOUND, RECEIPTS, Topic
from schemas.deadletter import PREFIX
from schemas.envelope import Headers, header
from workers.channels.producer import open_producer
from workers.channels.topic_reader import TopicReader, answering, open_reader
from workers.cli.dead_letter import Letter
from workers.runtime.identity import ORIGINAL_TIMESTAMP, REPLAYED

CLOCK_MARGIN_MS = 10 * 60 * 1000
"""By how much clocks may differ when an earlier replay is looked for."""

OURS = frozenset({REPLAYED, ORIGINAL_TIMESTAMP})
"""Headers that only a replay gives."""
HEADERS_MAX = 20
HEADER_CHARS_MAX = 2_000

# What workers publish, they publish exactly once: a second copy would be a second event to every reader.
REPLAYABLE = {topic.name: topic for topic in (INBOUND, ACTIONS, COMMANDS, OUTBOUND, RECEIPTS)}


@dataclass(frozen=True, slots=True)
class Replay:
    """A record to be appended."""

    id: str
    topic: Topic
    key: bytes | None
    first_key: bytes | None
    """With which it came."""
    value: bytes
    headers: Headers
    not_before_ms: int
    """No earlier replay of it can be older, in milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Mended:
    """What is sent instead of what came; none: as it came."""

    value: bytes | None = None
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """These replace all of their name; the others stay."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """Where the record lies now; `earlier`: by a replay before this one."""

    id: str
    topic: str
    partition: int
    offset: int
    earlier: bool


def prepare(letter: Letter, mended: Mended) -> Replay:
    """The record as it came, but for what is mended. Raises `TongdaiError` when it cannot go back."""
    summary = letter.summary
    topic = REPLAYABLE.get(summary.topic)
    if topic is None:
        raise TongdaiError(_why_not(summary.topic))
    original = letter.original_headers
    headers = [pair for pair in original if pair[0] not in {*mended.headers, *OURS}]
    headers += [(name, content.encode()) for name, content in mended.headers.items()]
    # A replay that was refused again keeps the time of the very first record.
    first_ms = header(original, ORIGINAL_TIMESTAMP) or str(summary.timestamp_ms).encode()
    headers += [(REPLAYED, summary.id.encode()), (ORIGINAL_TIMESTAMP, first_ms)]
    return Replay(
        id=summary.id,
        topic=topic,
        key=letter.key if mended.key is None else mended.key.encode(),
        first_key=letter.key,
        value=letter.value if mended.value is None else mended.value,
        headers=headers,
        not_before_ms=summary.deadlettered_at_ms - CLOCK_MARGIN_MS,
    )


def read_headers(texts: Sequence[str]) -> dict[str, str]:
    """Headers as people write them, `NAME=VALUE`. Raises `UsageError`."""
    if len(texts) > HEADERS_MAX:
        raise UsageError(f"at most {HEADERS_MAX} headers")
    return dict(map(_read_header, texts))


def _read_header(text: str) -> tuple[str, str]:
    name, is_pair, content = text.partition("=")
    if (
        not is_pair
        or not name.isprintable()
        or not name.isascii()
        or not name
        or len(text) > HEADER_CHARS_MAX
    ):
        raise UsageError(
            f"{text[:60]!r} is no header: write NAME=VALUE, as ce_type=tongdai.inbound.message.v1"
        )
    if name in OURS or name.startswith(PREFIX):
        raise UsageError(f"the header {name} is set by replaying: leave it out")
    return name, content


async def replay(settings: Settings, prepared: Replay) -> Replayed:
    """Append the record, unless it was already. Raises `DependencyError` when that remains unknown."""
    name = prepared.topic.full_name(settings.kafka.topic_prefix)
    async with open_reader(settings, [name]) as reader:
        earlier = await _find_earlier(reader, prepared, name)
    return earlier or await _append(settings, prepared, name)


def _why_not(topic: str) -> str:
    if "/" in topic:
        return f"it came by {topic}, not from a topic: put it on {INBOUND.name} as a record of its schema"
    return (
        f"it came from {topic or 'an unknown topic'}: only what comes from outside can be replayed "
        f"({', '.join(REPLAYABLE)}), since a second copy of a worker's event would be a second event"
    )


async def _find_earlier(reader: TopicReader, prepared: Replay, name: str) -> Replayed | None:
    """Look since the letter was written, up to now, where its key and the mended one belong."""
    keys = {prepared.key, prepared.first_key}
    ours = (
        set(reader.partitions)
        if None in keys
        else {reader.partition_of(key) for key in keys if key is not None}
    )
    begins = {
        each: offset for each, offset in (await reader.since(prepared.not_before_ms)).items() if each in ours
    }
    ends = await reader.ends()
    mark = (REPLAYED, prepared.id.encode())
    async for record in reader.read(begins, {each: ends[each] for each in begins}):
        if mark in record.headers:
            return Replayed(prepared.id, name, record.partition, record.offset, earlier=True)
    return None


async def _append(settings: Settings, prepared: Replay, name: str) -> Replayed:
    deadline_s = settings.runtime.kafka_deadline_s
    opening = open_producer(settings, [name], prepared.topic.max_message_bytes)
    async with answering(settings.kafka, deadline_s), opening as producer:
        try:
            async with asyncio.timeout(deadline_s):
                place = await producer.send_and_wait(
                    name, key=prepared.key, value=prepared.value, headers=prepared.headers
                )
        except MessageSizeTooLargeError as error:
            raise TongdaiError(
                f"the record is larger than {name} takes: send a shorter value with --value FILE"
            ) from error
    return Replayed(prepared.id, name, place.partition, place.offset, earlier=False)
