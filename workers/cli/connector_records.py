"""The records that a connector has published: from the inbound topic, or from a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from aiokafka import ConsumerRecord

from config.errors import UsageError
from schemas.envelope import header
from workers.channels.topic_reader import TopicReader
from workers.conformance.seen import Seen
from workers.runtime.identity import FORWARDED_FROM, REPLAYED

BYTES_MAX = 64 * 1024 * 1024
LINE_BYTES_MAX = 8 * 1024 * 1024


class Wanted(NamedTuple):
    """Which records: of one page or of all, at most so many, since a moment or for so long from now on."""

    page: str | None
    limit: int
    since_ms: int | None
    for_s: float


class Gathering:
    """Collects what is wanted, until it is enough."""

    def __init__(self, page: str | None, limit: int) -> None:
        self.records: list[Seen] = []
        self._page = page
        self._limit = limit
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether no more are wanted."""
        return len(self.records) >= self._limit or self._bytes >= BYTES_MAX

    def take(self, seen: Seen) -> None:
        """Keep it, unless it is of another page, or workers or operators have put it there."""
        is_ours = header(seen.headers, FORWARDED_FROM) or header(seen.headers, REPLAYED)
        if self.is_full or is_ours or (self._page is not None and not _is_of(seen, self._page)):
            return
        self.records.append(seen)
        self._bytes += len(seen.value)


async def gather(reader: TopicReader, wanted: Wanted, on_listening: Callable[[], None]) -> list[Seen]:
    """The records, those of each partition in their order. Raises `TimeoutError` when Kafka is silent.

    `on_listening` is called when what comes from now on is seen.
    """
    gathering = Gathering(wanted.page, wanted.limit)
    if wanted.since_ms is not None:
        async for record in reader.read(await reader.since(wanted.since_ms), await reader.ends()):
            gathering.take(_seen(record))
            if gathering.is_full:
                break
        return gathering.records
    begins = await reader.ends()
    on_listening()
    with suppress(TimeoutError):
        async with asyncio.timeout(wanted.for_s):
            async for record in reader.follow(begins):
                gathering.take(_seen(record))
                if gathering.is_full:
                    break
    return gathering.records


def read_file(path: Path, page: str | None, limit: int) -> list[Seen]:
    """The records of a file, one JSON object a line. Raises `UsageError` for a line that is none.

    Each says `key`, `value` (an object, or its exact text) and `headers`, and may say `partition`.
    """
    gathering = Gathering(page, limit)
    with path.open("rb") as lines:
        for number, line in enumerate(_lines(lines, path), 1):
            if line.strip():
                gathering.take(_from_line(f"line {number}", line))
    return gathering.records


def _lines(lines: Any, path: Path) -> Iterator[bytes]:  # noqa: ANN401 - a binary file
    while line := lines.readline(LINE_BYTES_MAX + 1):
        if len(line) > LINE_BYTES_MAX:
            raise UsageError(f"{path} has a line of more than {LINE_BYTES_MAX} bytes: one record a line")
        yield line


def _from_line(place: str, line: bytes) -> Seen:
    try:
        said = orjson.loads(line)
        key, value = said.get("key"), said["value"]
        headers = [(str(name), str(word).encode()) for name, word in _pairs(said.get("headers") or {})]
        partition = said.get("partition")
        return Seen(
            place,
            None if key is None else str(key).encode(),
            value.encode() if isinstance(value, str) else orjson.dumps(value),
            headers,
            partition=None if partition is None else int(partition),
        )
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{place} is no record: expected a JSON object with key, value and headers, "
            f"as tongdai deadletter show --json prints them on one line ({error})"
        ) from error


def _pairs(headers: Any) -> Iterable[tuple[Any, Any]]:  # noqa: ANN401 - a mapping, or a list of pairs
    if isinstance(headers, dict):
        return headers.items()
    return [(each["name"], each["value"]) for each in headers]


def _seen(record: ConsumerRecord) -> Seen:
    return Seen(
        f"{record.partition}-{record.offset}",
        record.key,
        record.value or b"",
        record.headers,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
    )


def _is_of(seen: Seen, page: str) -> bool:
    """By the key or by the value, since either may be wrong."""
    return seen.page == page or (seen.key or b"").startswith(f"{page}:".encode())
