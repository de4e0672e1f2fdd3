"""A history in memory that the checker reads like real servers; tests plant faults in it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson

from checker.murmur2 import partition_of
from checker.record import Json, LogRecord
from checker.report import Report
from checker.run import Run
from checker.source import Committed

R = TypeVar("R", bound=tuple[object, ...])
DESK_TOPICS = {"commands", "roster", "notifications", "outcomes"}
CONVERSATION_PARTITIONS, DESK_PARTITIONS = 4, 4


class Planted:
    """Topics and tables as lists, to be changed at will before they are checked."""

    def __init__(self) -> None:
        self.topics: dict[str, list[LogRecord]] = defaultdict(list)
        self.tables: dict[type, list[Any]] = defaultdict(list)
        self.groups: dict[str, dict[tuple[str, int], Committed]] = defaultdict(dict)
        self.open_transactions: dict[tuple[str, int], int] = {}

    def copy(self) -> Planted:
        """One that says the same, and changes without changing this one."""
        other = Planted()
        other.topics.update({topic: list(records) for topic, records in self.topics.items()})
        other.tables.update({kind: list(rows) for kind, rows in self.tables.items()})
        other.groups.update({group: dict(offsets) for group, offsets in self.groups.items()})
        other.open_transactions.update(self.open_transactions)
        return other

    def records(self, topic: str) -> Iterator[LogRecord]:
        """All records of the topic."""
        return iter(self.topics[topic])

    def partitions(self, topic: str) -> int:
        """How many partitions it has."""
        return DESK_PARTITIONS if topic in DESK_TOPICS else CONVERSATION_PARTITIONS

    def log_id(self, topic: str) -> str:
        """What event ids call it: its name, for Kafka has given it no id."""
        return topic

    def rows(self, kind: type[R]) -> Iterator[R]:
        """All rows of the table."""
        return iter(self.tables[kind])

    def ends(self, topic: str) -> Mapping[int, int]:
        """The offset after the last record, by partition."""
        ends = dict.fromkeys(range(self.partitions(topic)), 0)
        for record in self.topics[topic]:
            ends[record.partition] = max(ends[record.partition], record.offset + 1)
        return ends

    def held_back(self, topic: str) -> Mapping[int, int]:
        """How many offsets lie behind a transaction without an end."""
        return {
            partition: self.open_transactions.get((topic, partition), 0)
            for partition in range(self.partitions(topic))
        }

    def committed(self, group: str) -> Mapping[tuple[str, int], Committed]:
        """What the group has committed."""
        return self.groups[group]

    def append(
        self, topic: str, key: str, what: str, value: Json | bytes, at_ms: int, **more: str | int
    ) -> LogRecord:
        """Add a record at the end of its key's partition; `more` are further headers, or `partition`."""
        partition = int(more.pop("partition", partition_of(key.encode(), self.partitions(topic))))
        offset = self.ends(topic)[partition]
        id_ = more.pop("ce_id", uuid.uuid5(uuid.NAMESPACE_OID, f"{topic}/{partition}/{offset}"))
        headers = {"ce_id": id_, "ce_type": f"tongdai.{topic}.{what}.v1", **more}
        record = LogRecord(
            partition,
            offset,
            at_ms,
            key.encode(),
            value if isinstance(value, bytes) else orjson.dumps(value),
            tuple((name, str(content).encode()) for name, content in headers.items()),
        )
        self.topics[topic].append(record)
        return record

    def change(self, topic: str, number: int, **fields: object) -> None:
        """Change fields of the value of a topic's record."""
        record = self.topics[topic][number]
        self.topics[topic][number] = record._replace(value=orjson.dumps(record.json() | fields))

    def change_row(self, kind: type, number: int, /, **fields: object) -> None:
        """Change columns of a row."""
        self.tables[kind][number] = self.tables[kind][number]._replace(**fields)

    def index(self, topic: str, fits: Callable[[Json], bool]) -> int:
        """The number of the first record whose value fits."""
        return next(number for number, record in enumerate(self.topics[topic]) if fits(record.json()))

    def check(self) -> Report:
        """What the checker says."""
        return Run(self).report()


def moment(at_ms: int) -> str:
    """RFC 3339 with milliseconds."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
