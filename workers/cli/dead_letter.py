"""One dead letter as it lies on Kafka: what came, why it was refused, and where from."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiokafka import ConsumerRecord

from config.errors import UsageError
from schemas.deadletter import PREFIX
from schemas.envelope import Headers

_ID = re.compile(r"(\d{1,9})-(\d{1,18})")


@dataclass(frozen=True, slots=True)
class LetterId:
    """Where it lies: `<partition>-<offset>` of the topic deadletter."""

    partition: int
    offset: int

    @classmethod
    def parse(cls, text: str) -> LetterId:
        """Read what `str()` writes. Raises `UsageError`."""
        match = _ID.fullmatch(text)
        if match is None:
            raise UsageError(
                f"{text!r} is no id of a dead letter: tongdai deadletter list shows them, as 3-1207"
            )
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.partition}-{self.offset}"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list shows. Times in milliseconds since 1970.

    Where a record does not say, texts are empty and numbers -1.
    """

    id: str
    reason: str
    detail: str
    worker: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    deadlettered_at_ms: int
    size_bytes: int

    @property
    def origin(self) -> str:
        """Topic, partition and offset; a channel's webhook has only a path."""
        return self.topic if self.partition < 0 else f"{self.topic} {self.partition}-{self.offset}"


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter with its key, value and headers as they lie there."""

    summary: Summary
    key: bytes | None
    value: bytes
    headers: Headers

    @property
    def original_headers(self) -> Headers:
        """The headers with which the record came."""
        return [(name, content) for name, content in self.headers if not name.startswith(PREFIX)]


def summarise(record: ConsumerRecord) -> Summary:
    """What a list shows of it; a record that is no dead letter of ours is shown all the same."""
    said = {
        name.removeprefix(PREFIX): content.decode(errors="replace")
        for name, content in record.headers
        if name.startswith(PREFIX)
    }
    return Summary(
        id=str(LetterId(record.partition, record.offset)),
        reason=said.get("reason", ""),
        detail=said.get("detail", ""),
        worker=said.get("worker", ""),
        topic=said.get("topic", ""),
        partition=_number(said.get("partition")),
        offset=_number(said.get("offset")),
        timestamp_ms=_number(said.get("timestamp_ms")),
        deadlettered_at_ms=record.timestamp,
        size_bytes=len(record.value or b""),
    )


def open_letter(record: ConsumerRecord) -> Letter:
    """All of it."""
    return Letter(summarise(record), record.key, record.value or b"", list(record.headers))


def _number(text: str | None) -> int:
    return int(text) if text is not None and re.fullmatch(r"-?\d{1,18}", text) else -1
