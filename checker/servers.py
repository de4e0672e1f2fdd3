"""The real source: Kafka's topics and Postgres' tables together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from checker.record import LogRecord
from checker.source import Committed
from checker.tables import Tables
from checker.topics import Topics

R = TypeVar("R", bound=tuple[object, ...])


class Servers:
    """A `Source` that reads from both."""

    def __init__(self, topics: Topics, tables: Tables) -> None:
        self._topics = topics
        self._tables = tables
        self._committed: dict[str, Mapping[tuple[str, int], Committed]] = {}

    def records(self, topic: str) -> Iterator[LogRecord]:
        """See `Topics.records`."""
        return self._topics.records(topic)

    def partitions(self, topic: str) -> int:
        """See `Topics.partitions`."""
        return self._topics.partitions(topic)

    def log_id(self, topic: str) -> str:
        """See `Topics.log_id`."""
        return self._topics.log_id(topic)

    def rows(self, kind: type[R]) -> Iterator[R]:
        """See `Tables.rows`."""
        return self._tables.rows(kind)

    def ends(self, topic: str) -> Mapping[int, int]:
        """See `Topics.ends`."""
        return self._topics.ends(topic)

    def held_back(self, topic: str) -> Mapping[int, int]:
        """See `Topics.held_back`."""
        return self._topics.held_back(topic)

    def committed(self, group: str) -> Mapping[tuple[str, int], Committed]:
        """See `Topics.committed`; asked once for each group."""
        if group not in self._committed:
            self._committed[group] = self._topics.committed(group)
        return self._committed[group]
